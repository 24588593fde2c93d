/**
 * Link finding: why a gateway did not get through to its hub, in words that say what to do.
 * Decides the closed list of reasons, what of a foreign certificate is shown, and what to ask of
 * the hospital's network people when the encryption is opened on the way.
 * Invariants: no token, key or password in it; a code of a newer gateway is shown without words.
 * Source: reliability specification F12; RFC 9110 9.3.6 (CONNECT), 15.5 and 15.6 (status codes).
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';

/** What a network must leave alone, as its people ask for it. */
const exemptionSchema = z.object({
  host: z.string(),
  port: z.int(),
  /** Server name indication of the TLS hello. */
  sni: z.string(),
  /** Application protocols of the TLS hello. */
  alpn: z.array(z.string()),
});

/** What was shown instead of the hub's certificate. */
const presentedSchema = z.object({
  subject: z.string(),
  issuer: z.string(),
  /** SHA-256 of the certificate (DER), hexadecimal. */
  fingerprint: z.string(),
  notBeforeMs: epochMsSchema,
  notAfterMs: epochMsSchema,
  names: z.string(),
});

export const linkFindingSchema = z.object({
  /** Code of the kernel's error catalogue. */
  code: z.string(),
  atMs: epochMsSchema,
  /** What was dialled. */
  host: z.string(),
  port: z.int(),
  /** Setting of the gateway's configuration to look at; null: none of ours. */
  setting: z.string().nullable(),
  /** HTTP status of a proxy or of the hub; null: there was none. */
  status: z.int().nullable(),
  presented: presentedSchema.nullable(),
  /** What to ask for when the encryption is opened on the way; null otherwise. */
  exemption: exemptionSchema.nullable(),
});
export type LinkFinding = z.infer<typeof linkFindingSchema>;

interface Both {
  readonly nl: string;
  readonly en: string;
}
const WORDS: Readonly<Record<string, Both>> = {
  LINK_INSPECTED: {
    nl:
      'iets tussen deze gateway en de hub opent de versleuteling (TLS-inspectie) en toont ' +
      'een eigen certificaat; vraag de netwerkbeheerders om de uitzondering hieronder',
    en:
      'something between this gateway and the hub opens the encryption (TLS inspection) and ' +
      'shows a certificate of its own; ask the network people for the exemption below',
  },
  LINK_CERTIFICATE_TIME: {
    nl: 'het certificaat van de hub is nu niet geldig; controleer eerst de klok van deze machine',
    en: "the hub's certificate is not valid now; check the clock of this machine first",
  },
  LINK_WRONG_NAME: {
    nl:
      'het certificaat is van de juiste instantie maar voor een andere naam; controleer ' +
      'hub.address en hub.serverName',
    en:
      'the certificate is of the right authority but for another name; check hub.address ' +
      'and hub.serverName',
  },
  LINK_NOT_TLS: {
    nl:
      'wat daar antwoordt is geen hub: een webpagina of een aanmeldpagina van het netwerk; ' +
      'controleer hub.address en de firewall',
    en:
      'what answers there is no hub: a web page or a sign-in page of the network; check ' +
      'hub.address and the firewall',
  },
  LINK_PROXY_AUTHENTICATION: {
    nl:
      'de proxy wil een naam en wachtwoord, of andere; controleer hub.proxy.userName en het ' +
      'bestand hub.proxy.passwordFile',
    en:
      'the proxy wants a name and password, or other ones; check hub.proxy.userName and the ' +
      'file hub.proxy.passwordFile',
  },
  LINK_PROXY_REFUSED: {
    nl:
      'de proxy laat deze gateway niet door naar de hub; vraag de beheerder van de proxy om ' +
      'dit adres en deze poort toe te staan',
    en:
      'the proxy does not let this gateway through to the hub; ask its administrator to ' +
      'allow this address and port',
  },
  LINK_PROXY_FAILED: {
    nl: 'de proxy antwoordt niet of bereikt de hub niet; controleer hub.proxy.url en hub.address',
    en: 'the proxy does not answer, or does not reach the hub; check hub.proxy.url and hub.address',
  },
  LINK_PROXY_UNTRUSTED: {
    nl: 'het certificaat van de proxy is niet van de instantie in hub.proxy.caFile',
    en: 'the certificate of the proxy is not of the authority in hub.proxy.caFile',
  },
  PEER_UNAVAILABLE: {
    nl:
      'niets antwoordt op het adres van de hub; controleer hub.address, de naamomzetting en ' +
      'de firewall',
    en:
      'nothing answers at the address of the hub; check hub.address, the name service and ' +
      'the firewall',
  },
  PEER_REFUSED: {
    nl:
      'de hub spreekt dit protocol niet of wijst deze gateway af: het certificaat kan zijn ' +
      'ingetrokken; vraag de beheerder van de hub',
    en:
      'the hub does not speak this protocol or refuses this gateway: its certificate may be ' +
      'revoked; ask the operator of the hub',
  },
  UNTRUSTED: {
    nl:
      'wat de hub stuurde klopt niet met de sleutel, de plaats of het doel van deze ' +
      'gateway; er is niets veranderd',
    en:
      'what the hub sent does not fit the key, the site or the purpose of this gateway; ' +
      'nothing was changed',
  },
  JOIN_TOKEN_INVALID: {
    nl: 'dit is geen geldig token, of het is voor een andere hub dan de configuratie noemt',
    en: 'this is no valid token, or it is for another hub than the configuration names',
  },
  JOIN_REFUSED: {
    nl:
      'de hub neemt dit token niet (meer): het is gebruikt, verlopen of onbekend; vraag de ' +
      'beheerder van de hub om een nieuw',
    en:
      'the hub does not take this token (any more): it is used, expired or unknown; ask the ' +
      'operator of the hub for a new one',
  },
  JOIN_OUTCOME_UNKNOWN: {
    nl:
      'het token is verstuurd maar er kwam geen antwoord: het kan verbruikt zijn en werkt ' +
      'dan nooit meer; vraag een nieuw token en laat het certificaat dat misschien is ' +
      'gemaakt intrekken',
    en:
      'the token was sent but no answer came: it may be used up and then never works again; ' +
      'ask for a new token, and have the certificate that may have been made revoked',
  },
  NOT_JOINED: {
    nl: 'deze gateway is nog niet aangesloten; vraag de beheerder van de hub om een token',
    en: 'this gateway has not joined yet; ask the operator of the hub for a token',
  },
};

/** Undefined for a code that this version does not know. */
export const linkFindingWords = (code: string): Both | undefined =>
  Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;

/** Codes that have words, for tests. */
export const LINK_FINDING_CODES: readonly string[] = Object.keys(WORDS);

/** Lines that can be sent to the network people as they are. */
export function exemptionLines({ exemption, presented }: LinkFinding): string[] {
  if (!exemption) return [];
  const { host, port, sni, alpn } = exemption;
  return [
    `destination: ${host}, TCP port ${port}`,
    'do not decrypt (no TLS inspection): the connection is mutual TLS with a pinned authority',
    `server name (SNI): ${sni}`,
    `application protocols (ALPN): ${alpn.join(', ')}`,
    ...(presented
      ? [`seen instead: issuer ${presented.issuer}, SHA-256 ${presented.fingerprint}`]
      : []),
  ];
}
