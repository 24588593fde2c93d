/**
 * Sentences of set-up findings: code, what is seen, and what to ask the PACS vendor.
 * Decides the closed table, in Dutch and English; {names} are facts of the finding.
 * Invariant: both languages name the same facts (tested).
 * Source: PS3.8 9.3.3.2, 9.3.4 (refusals); PS3.7 annex C; PS3.4 B.2.3, C.4.1.1.4, J.3.3.
 */
export interface SetupSentence {
  readonly seen: string;
  /** What to do, or to ask of whom. */
  readonly ask: string;
}
interface Both {
  readonly nl: SetupSentence;
  readonly en: SetupSentence;
}

const REACH: Readonly<Record<string, Both>> = {
  ADDRESS_UNKNOWN: {
    nl: {
      seen: 'De naam {host} bestaat niet in de naamomzetting van dit netwerk.',
      ask: 'Vraag de PACS-leverancier om de juiste hostnaam of het IP-adres van het PACS.',
    },
    en: {
      seen: 'The name {host} is not known to the name service of this network.',
      ask: 'Ask the PACS vendor for the right host name or the IP address of the PACS.',
    },
  },
  PORT_CLOSED: {
    nl: {
      seen: 'Op {host} luistert niets op TCP-poort {port}.',
      ask:
        'Vraag de PACS-leverancier op welke poort het PACS DICOM aanneemt, en of die dienst ' +
        'draait op {host}.',
    },
    en: {
      seen: 'Nothing listens on TCP port {port} of {host}.',
      ask:
        'Ask the PACS vendor on which port the PACS takes DICOM, and whether that service runs ' +
        'on {host}.',
    },
  },
  UNREACHABLE: {
    nl: {
      seen: 'Van {host}, TCP-poort {port}, komt geen enkel antwoord.',
      ask:
        'Controleer het adres; vraag de netwerkbeheerders om verkeer van deze gateway naar ' +
        '{host}, TCP-poort {port}, toe te staan.',
    },
    en: {
      seen: 'Nothing at all comes back from {host}, TCP port {port}.',
      ask:
        'Check the address; ask the network people to allow traffic from this gateway to ' +
        '{host}, TCP port {port}.',
    },
  },
  NO_ANSWER: {
    nl: {
      seen:
        '{host}, poort {port}, neemt de verbinding aan maar geeft binnen {seconds} s geen ' +
        'DICOM-antwoord.',
      ask:
        'Vraag de PACS-leverancier of op {host}, poort {port}, de DICOM-dienst luistert en of ' +
        'die vastloopt of op een controle wacht.',
    },
    en: {
      seen: '{host}, port {port}, takes the connection but gives no DICOM answer within {seconds} s.',
      ask:
        'Ask the PACS vendor whether the DICOM service listens on {host}, port {port}, and ' +
        'whether it hangs or waits for a check.',
    },
  },
  NOT_DICOM: {
    nl: {
      seen:
        'Wat op {host}, poort {port}, antwoordt of de verbinding sluit, spreekt geen DICOM met ' +
        'deze gateway.',
      ask:
        'Vraag de PACS-leverancier om host en poort voor DICOM (C-STORE), niet die van een ' +
        'webpagina of viewer, en of {host} verbindingen van deze gateway toelaat.',
    },
    en: {
      seen:
        'What answers at {host}, port {port}, or closes the connection there, does not speak ' +
        'DICOM with this gateway.',
      ask:
        'Ask the PACS vendor for host and port of DICOM (C-STORE), not those of a web page or ' +
        'viewer, and whether {host} lets connections of this gateway in.',
    },
  },
  TLS_NEEDED: {
    nl: {
      seen: '{host}, poort {port}, wil een versleutelde verbinding (DICOM TLS).',
      ask:
        'Zet pacs.tls in de configuratie van de gateway, met certificaten die het PACS ' +
        'vertrouwt; of vraag de PACS-leverancier om de poort zonder TLS.',
    },
    en: {
      seen: '{host}, port {port}, wants an encrypted connection (DICOM TLS).',
      ask:
        'Set pacs.tls in the configuration of the gateway, with certificates that the PACS ' +
        'trusts; or ask the PACS vendor for the port without TLS.',
    },
  },
  TLS_NOT_OFFERED: {
    nl: {
      seen: '{host}, poort {port}, spreekt geen TLS, of geen versie die deze gateway toestaat.',
      ask:
        'Vraag de PACS-leverancier op welke poort DICOM TLS (1.2 of nieuwer, profiel BCP 195) ' +
        'wordt aangeboden.',
    },
    en: {
      seen: '{host}, port {port}, does not speak TLS, or no version that this gateway allows.',
      ask: 'Ask the PACS vendor on which port DICOM TLS (1.2 or newer, BCP 195 profile) is offered.',
    },
  },
  TLS_UNTRUSTED: {
    nl: {
      seen:
        'De versleuteling met {host}, poort {port}, mislukt: een van beide vertrouwt het ' +
        'certificaat van de ander niet.',
      ask:
        'Vraag de PACS-leverancier wie het certificaat van het PACS ondertekent (pacs.tls.caFile)' +
        ' en of het certificaat van deze gateway daar vertrouwd is.',
    },
    en: {
      seen:
        'The encryption with {host}, port {port}, fails: one of the two does not trust the ' +
        "other's certificate.",
      ask:
        'Ask the PACS vendor who signs the certificate of the PACS (pacs.tls.caFile), and ' +
        'whether the certificate of this gateway is trusted there.',
    },
  },
};

const ASSOCIATION: Readonly<Record<string, Both>> = {
  CALLED_AE_UNKNOWN: {
    nl: {
      seen: 'Het PACS op {host}, poort {port}, heet niet {calledAeTitle}.',
      ask:
        'Vraag de PACS-leverancier om de juiste AE-titel van het PACS (called AE title); let op ' +
        'hoofdletters.',
    },
    en: {
      seen: 'The PACS at {host}, port {port}, is not called {calledAeTitle}.',
      ask: 'Ask the PACS vendor for the right (called) AE title of the PACS; case matters.',
    },
  },
  CALLING_AE_UNKNOWN: {
    nl: {
      seen: 'Het PACS kent {callingAeTitle} niet.',
      ask:
        'Vraag de PACS-leverancier om de AE-titel {callingAeTitle} met het IP-adres van deze ' +
        'gateway toe te voegen, met rechten voor C-ECHO, C-STORE en C-FIND.',
    },
    en: {
      seen: 'The PACS does not know {callingAeTitle}.',
      ask:
        'Ask the PACS vendor to add the AE title {callingAeTitle} with the IP address of this ' +
        'gateway, with rights for C-ECHO, C-STORE and C-FIND.',
    },
  },
  ASSOCIATION_REFUSED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} weigert {callingAeTitle} zonder bruikbare reden ({reason}).',
      ask:
        'Vraag de PACS-leverancier om in het logboek van het PACS te kijken waarom ' +
        '{callingAeTitle} wordt geweigerd: bekend, juist IP-adres, juiste AE-titel ' +
        '{calledAeTitle}?',
    },
    en: {
      seen: 'The PACS {calledAeTitle} refuses {callingAeTitle} without a useful reason ({reason}).',
      ask:
        'Ask the PACS vendor to look in the log of the PACS why {callingAeTitle} is refused: ' +
        'known, right IP address, right AE title {calledAeTitle}?',
    },
  },
  PACS_BUSY: {
    nl: {
      seen: 'Het PACS {calledAeTitle} neemt nu geen verbinding meer aan ({reason}).',
      ask:
        'Probeer het later opnieuw; vraag de PACS-leverancier of voor {callingAeTitle} ten ' +
        'minste twee gelijktijdige verbindingen zijn toegestaan.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} takes no more connections now ({reason}).',
      ask:
        'Try again later; ask the PACS vendor whether at least two connections at a time are ' +
        'allowed for {callingAeTitle}.',
    },
  },
  ASSOCIATION_ABORTED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} breekt de verbinding van {callingAeTitle} zelf af.',
      ask:
        'Vraag de PACS-leverancier om in het logboek van het PACS te kijken wat er rond dit ' +
        'tijdstip met {callingAeTitle} misging.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} breaks off the connection of {callingAeTitle} itself.',
      ask:
        'Ask the PACS vendor to look in the log of the PACS what went wrong with ' +
        '{callingAeTitle} at this time.',
    },
  },
  ECHO_NOT_OFFERED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} biedt C-ECHO (Verification) niet aan {callingAeTitle} aan.',
      ask: 'Vraag de PACS-leverancier om Verification (1.2.840.10008.1.1) toe te staan.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} does not offer C-ECHO (Verification) to {callingAeTitle}.',
      ask: 'Ask the PACS vendor to allow Verification (1.2.840.10008.1.1).',
    },
  },
  ECHO_FAILED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} antwoordt op C-ECHO met status {status}.',
      ask: 'Vraag de PACS-leverancier wat status {status} bij C-ECHO betekent.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} answers C-ECHO with status {status}.',
      ask: 'Ask the PACS vendor what status {status} of C-ECHO means.',
    },
  },
};

const STORE: Readonly<Record<string, Both>> = {
  STORE_CLASS_MISSING: {
    nl: {
      seen: 'Het PACS {calledAeTitle} neemt geen {sopClass} aan ({sopClassUid}).',
      ask:
        'Vraag de PACS-leverancier om deze SOP class voor {callingAeTitle} aan te zetten als ' +
        'C-STORE SCP, met {transferSyntax}.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} does not take {sopClass} ({sopClassUid}).',
      ask:
        'Ask the PACS vendor to enable this SOP class for {callingAeTitle} as C-STORE SCP, with ' +
        '{transferSyntax}.',
    },
  },
  STORE_SYNTAX_MISSING: {
    nl: {
      seen: 'Het PACS {calledAeTitle} neemt {sopClass} aan, maar niet met {transferSyntax}.',
      ask:
        'Vraag de PACS-leverancier om voor {sopClass} ({sopClassUid}) ook {transferSyntax} ' +
        '(1.2.840.10008.1.2.1) toe te staan.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} takes {sopClass}, but not with {transferSyntax}.',
      ask:
        'Ask the PACS vendor to allow {transferSyntax} (1.2.840.10008.1.2.1) for {sopClass} ' +
        '({sopClassUid}) as well.',
    },
  },
  STORE_REFUSED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} weigert een testobject {sopClass} met status {status}.',
      ask:
        'Vraag de PACS-leverancier waarom {sopClass} ({sopClassUid}) van {callingAeTitle} met ' +
        'status {status} wordt geweigerd.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} refuses a test object {sopClass} with status {status}.',
      ask:
        'Ask the PACS vendor why {sopClass} ({sopClassUid}) of {callingAeTitle} is refused with ' +
        'status {status}.',
    },
  },
  STORE_NO_ROOM: {
    nl: {
      seen: 'Het PACS {calledAeTitle} heeft geen ruimte voor het testobject (status {status}).',
      ask: 'Vraag de PACS-leverancier om de vrije ruimte van het PACS na te gaan.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} has no room for the test object (status {status}).',
      ask: 'Ask the PACS vendor to check the free space of the PACS.',
    },
  },
  STORE_CLEAN_UP: {
    nl: {
      seen: 'De testobjecten staan nu in het PACS: patiënt AIFI^TEST, nummer {patientId}.',
      ask: 'DICOM kan ze niet wissen: laat onderzoek {studyUid} in het PACS verwijderen.',
    },
    en: {
      seen: 'The test objects are in the PACS now: patient AIFI^TEST, number {patientId}.',
      ask: 'DICOM cannot delete them: have study {studyUid} deleted in the PACS.',
    },
  },
  STORE_NOT_TRIED: {
    nl: {
      seen: 'Het PACS neemt alle soorten objecten aan; er is geen testobject verstuurd.',
      ask: 'Geef toestemming voor testobjecten om ook C-STORE zelf te beproeven.',
    },
    en: {
      seen: 'The PACS takes all kinds of objects; no test object was sent.',
      ask: 'Allow test objects, so that C-STORE itself is tried as well.',
    },
  },
};

const QUERY: Readonly<Record<string, Both>> = {
  FIND_NOT_OFFERED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} laat {callingAeTitle} niet zoeken (C-FIND, Study Root).',
      ask:
        'Vraag de PACS-leverancier om {callingAeTitle} Study Root Query/Retrieve FIND ' +
        '(1.2.840.10008.5.1.4.1.2.2.1) toe te staan.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} does not let {callingAeTitle} query (C-FIND, Study Root).',
      ask:
        'Ask the PACS vendor to allow Study Root Query/Retrieve FIND ' +
        '(1.2.840.10008.5.1.4.1.2.2.1) to {callingAeTitle}.',
    },
  },
  FIND_REFUSED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} weigert de zoekvraag met status {status}.',
      ask:
        'Vraag de PACS-leverancier of {callingAeTitle} mag zoeken en wat status {status} bij ' +
        'C-FIND betekent.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} refuses the query with status {status}.',
      ask:
        'Ask the PACS vendor whether {callingAeTitle} may query, and what status {status} of ' +
        'C-FIND means.',
    },
  },
  FIND_NO_ANSWER: {
    nl: {
      seen: 'Het PACS {calledAeTitle} neemt de zoekvraag aan maar antwoordt niet binnen {seconds} s.',
      ask: 'Vraag de PACS-leverancier waarom een C-FIND op één Study Instance UID zo lang duurt.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} takes the query but does not answer within {seconds} s.',
      ask: 'Ask the PACS vendor why a C-FIND for one Study Instance UID takes so long.',
    },
  },
  FIND_NOT_LISTED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} nam het testobject aan, maar noemt het niet bij C-FIND.',
      ask:
        'Vraag de PACS-leverancier waar onderzoek {studyUid} is gebleven: in een wachtrij voor ' +
        'onbekende patiënten, of buiten het archief dat {callingAeTitle} mag doorzoeken?',
    },
    en: {
      seen: 'The PACS {calledAeTitle} took the test object, but does not list it with C-FIND.',
      ask:
        'Ask the PACS vendor where study {studyUid} went: to a queue for unknown patients, or ' +
        'outside of the archive that {callingAeTitle} may query?',
    },
  },
  FIND_KEYS_MISSING: {
    nl: {
      seen: 'Het antwoord op C-FIND mist: {attributes}.',
      ask:
        'Vraag de PACS-leverancier om deze attributen bij C-FIND op onderzoeksniveau terug te ' +
        'geven; zonder geboortedatum en nummer kan een resultaat niet zeker worden gekoppeld.',
    },
    en: {
      seen: 'The answer to C-FIND lacks: {attributes}.',
      ask:
        'Ask the PACS vendor to return these attributes with C-FIND at study level; without ' +
        'birth date and number a result cannot be matched with certainty.',
    },
  },
};

const COMMITMENT: Readonly<Record<string, Both>> = {
  COMMITMENT_NOT_OFFERED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} biedt {callingAeTitle} geen storage commitment aan.',
      ask:
        'Vraag de PACS-leverancier of Storage Commitment Push Model (1.2.840.10008.1.20.1) kan ' +
        'worden aangezet. Het mag zonder: laat commitment hier dan uit, de gateway zoekt elk ' +
        'resultaat op met C-FIND.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} does not offer storage commitment to {callingAeTitle}.',
      ask:
        'Ask the PACS vendor whether Storage Commitment Push Model (1.2.840.10008.1.20.1) can be ' +
        'enabled. It may be without: leave commitment off here then, the gateway looks each ' +
        'result up with C-FIND.',
    },
  },
  COMMITMENT_REFUSED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} weigert een commitment-verzoek met status {status}.',
      ask: 'Vraag de PACS-leverancier wat status {status} bij N-ACTION betekent.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} refuses a commitment request with status {status}.',
      ask: 'Ask the PACS vendor what status {status} of N-ACTION means.',
    },
  },
  COMMITMENT_NOT_REPORTED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} nam het verzoek aan, maar meldde niets binnen {seconds} s.',
      ask:
        'Vraag de PACS-leverancier om het antwoord (N-EVENT-REPORT) voor {callingAeTitle} te ' +
        'sturen naar {ownAeTitle} op {ownHost}, poort {ownPort}; en of het PACS daar als ' +
        '{calledAeTitle} belt.',
    },
    en: {
      seen: 'The PACS {calledAeTitle} took the request, but reported nothing within {seconds} s.',
      ask:
        'Ask the PACS vendor to send the answer (N-EVENT-REPORT) for {callingAeTitle} to ' +
        '{ownAeTitle} at {ownHost}, port {ownPort}; and whether the PACS calls there as ' +
        '{calledAeTitle}.',
    },
  },
  COMMITMENT_FAILED: {
    nl: {
      seen: 'Het PACS {calledAeTitle} meldt dat het het testobject niet bewaart (reden {reason}).',
      ask:
        'Vraag de PACS-leverancier waarom een object dat met succes is ontvangen niet wordt ' +
        'toegezegd (reden {reason}).',
    },
    en: {
      seen: 'The PACS {calledAeTitle} reports that it does not keep the test object ({reason}).',
      ask:
        'Ask the PACS vendor why an object that was received with success is not committed ' +
        '(reason {reason}).',
    },
  },
  COMMITMENT_APPLY_FIRST: {
    nl: {
      seen: 'Het PACS biedt storage commitment aan; {calledAeTitle} mag hier nog niet melden.',
      ask:
        'Pas de instellingen toe, voeg {calledAeTitle} toe aan wie mag sturen, en controleer ' +
        'opnieuw.',
    },
    en: {
      seen: 'The PACS offers storage commitment; {calledAeTitle} may not report here yet.',
      ask: 'Apply the settings, add {calledAeTitle} to who may send, and check again.',
    },
  },
  COMMITMENT_NOT_TRIED: {
    nl: {
      seen: 'Het PACS biedt storage commitment aan; er is niets gevraagd.',
      ask: 'Geef toestemming voor testobjecten om het antwoord van het PACS te beproeven.',
    },
    en: {
      seen: 'The PACS offers storage commitment; nothing was asked.',
      ask: "Allow test objects, so that the PACS's answer is tried as well.",
    },
  },
};

const INBOUND: Readonly<Record<string, Both>> = {
  INBOUND_NOTHING: {
    nl: {
      seen: 'In het laatste uur kwam geen verbinding en geen beeld van {calledAeTitle}.',
      ask:
        'Laat de PACS-leverancier {ownAeTitle} op {ownHost}, poort {ownPort}, als bestemming ' +
        'toevoegen en een C-ECHO of een testonderzoek sturen.',
    },
    en: {
      seen: 'No connection and no image of {calledAeTitle} came in the last hour.',
      ask:
        'Have the PACS vendor add {ownAeTitle} at {ownHost}, port {ownPort}, as a destination ' +
        'and send a C-ECHO or a test study.',
    },
  },
  INBOUND_UNKNOWN_CALLER: {
    nl: {
      seen: '{seenAeTitle} belde deze gateway en werd geweigerd: niet bekend of ander adres.',
      ask:
        'Voeg {seenAeTitle} hieronder toe met het juiste IP-adres, of vraag de PACS-leverancier ' +
        'om als {calledAeTitle} te bellen.',
    },
    en: {
      seen: '{seenAeTitle} called this gateway and was refused: not known, or another address.',
      ask:
        'Add {seenAeTitle} below with the right IP address, or ask the PACS vendor to call as ' +
        '{calledAeTitle}.',
    },
  },
  INBOUND_WRONG_CALLED: {
    nl: {
      seen: '{seenAeTitle} belde deze gateway onder een andere naam dan {ownAeTitle}.',
      ask:
        'Vraag de PACS-leverancier om bij {seenAeTitle} de bestemming {ownAeTitle} te noemen; ' +
        'let op hoofdletters.',
    },
    en: {
      seen: '{seenAeTitle} called this gateway by another name than {ownAeTitle}.',
      ask: 'Ask the PACS vendor to name the destination {ownAeTitle} at {seenAeTitle}; case matters.',
    },
  },
  CHECK_FAILED: {
    nl: {
      seen: 'De controle zelf mislukte ({reason}); dit zegt niets over het PACS.',
      ask: 'Probeer het opnieuw; blijft het, geef deze code door aan de beheerder van de hub.',
    },
    en: {
      seen: 'The check itself failed ({reason}); this says nothing of the PACS.',
      ask: 'Try again; if it stays, tell this code to the operator of the hub.',
    },
  },
};

export const SETUP_SENTENCES = {
  ...{ ...REACH, ...ASSOCIATION, ...STORE },
  ...{ ...QUERY, ...COMMITMENT, ...INBOUND },
};
