/**
 * What aifictl says of itself: every command with its options.
 * Decides nothing. Invariant: a command that is not here does not exist for a reader.
 */
/** As the contract says, which takes longer to load than the rest of an offline command. */
export const AUDIT_FORMATS: readonly string[] = ['ndjson', 'fhir', 'dicom', 'csv'];
export const AUDIT_OUTCOMES: readonly string[] = ['success', 'refused', 'failed', 'unavailable'];

export const USAGE = `aifictl: what happened to a study, and whether gateways and hub are well

  aifictl trace <StudyInstanceUID | jobId>   every hop of a study, and what happens next
  aifictl status                             gateways and hub, and what was refused at the door
  aifictl sites                              sites of the hub: last seen, open jobs, deployments
  aifictl models                             models of the hub and the sites that have them
  aifictl studies                            jobs of pseudonymous studies at the hub, newest first
      [--site SITE] [--state STATE] [--study PSEUDONYM] [--limit N]
  aifictl product status                     products that a kill switch has stopped
  aifictl product stop <product> --reason TEXT [--version V] [--site SITE] [--code CODE]
  aifictl product resume <product> --reason TEXT [--version V] [--site SITE]
                                             by another person than who stopped it

  aifictl dead-letters list [--code CODE] [--limit N]
                                             results that a gateway's PACS would not take
  aifictl dead-letters replay <id>           send one of them to the PACS again
  aifictl dead-letters replay-all [--code CODE] [--older-than 2h]
                                             all of them, or those of one reason or age

  aifictl pixel-holds list [--job ID] [--limit N]
                                             images that wait for a person at a gateway
  aifictl pixel-holds release | reject <id> --reason TEXT
                                             decide on them; to release, look at them first, on
                                             the gateway's page
  aifictl jobs retry <job id> --reason TEXT  try again what was stopped for pixels or identity
  aifictl register recall --product P [--version V] [--limit N]
                                             results of a product in a gateway's PACS
  aifictl register show <SOPInstanceUID>     what one result was made from and by
  aifictl vault code --patient-file FILE     the code under which two persons agree to erase
  aifictl vault erase --patient-file FILE --reason TEXT [--results keep|erase]
                                             FILE: patient number, then issuer, a line each

  aifictl study request <StudyInstanceUID> --product P [--reason TEXT]
                                             run one product on a study, whatever its age
  aifictl study requests <StudyInstanceUID>  what was asked for on it, and what came of that
  aifictl study fetch --study UID | --accession-file FILE [--product P]
                                             fetch a study from the gateway's PACS; FILE: the
                                             accession number, not in the list of processes
  aifictl retrieval list [--state STATE] [--limit N]
                                             what is or was fetched; STATE: QUEUED, DONE, FAILED
  aifictl retrieval withdraw <id>            it need not be fetched; what has come stays

  aifictl mapping import <catalogue.csv> [--dry-run]
                                             put the hospital's procedure codes in force
  aifictl mapping export [--version N] [--out FILE]
                                             the codes as a file that another site can import
  aifictl mapping list                       versions of the catalogue, the newest is in force
  aifictl mapping coverage [--days N]        which codes of the last days it does not know
  aifictl mapping rollback <version> --reason TEXT
                                             put an earlier version in force again
  aifictl objection show --patient-file FILE objections of one patient (FILE: as for vault)
  aifictl objection set --patient-file FILE --kind K [--from TIME] [--until TIME]
  aifictl objection withdraw --patient-file FILE --kind K --reason TEXT
                                             K: ai-in-own-care, secondary-use, sharing, or
                                             several with commas
  aifictl objection import <list.csv> [--dry-run] [--skip-bad-lines]
                                             take over a list: number, issuer, kind, from, until

  aifictl site enrol <site> [--gateway N]    a one-time token for a gateway, shown once
  aifictl site certificates <site>           certificates of the gateways of a site
  aifictl site revoke <site> <serial> --reason TEXT
                                             end a certificate now
  aifictl authority show | rotate --reason TEXT
                                             who signs gateways; sign with a new one from now on
  aifictl gateway join --token T [--hub HOST:PORT]
                                             join the hub; T: the token, @FILE that holds it, or -
                                             for standard input: not in the list of processes
  aifictl gateway link                       certificate, proxy and last contact of a gateway
  aifictl gateway check [--store]            what its PACS takes, and what to ask the PACS vendor;
                                             --store: two test objects may be stored there
  aifictl self-test run | status             the probe: everything but sending an object

  aifictl login [--step-up]                  sign in at one server, in a browser of your choice;
                                             --step-up: anew, for acts that ask for it
  aifictl logout                             forget that sign-in
  aifictl whoami                             who you are to each server, and what it allows
  aifictl approvals list [--state STATE] [--limit N]
  aifictl approvals request <act> --site SITE --object ID --reason TEXT
  aifictl approvals approve | refuse | end <id> --reason TEXT
  aifictl audit search [--from TIME] [--to TIME] [--act ACT] [--user ID] [--outcome OUTCOME]
      [--object ID] [--site SITE] [--limit N]
  aifictl audit export [the same filters] [--format ${AUDIT_FORMATS.join('|')}] [--out FILE]
      [--anchors FILE]                       --anchors: the signed anchors as well
  aifictl audit verify <export file> [--anchors FILE]
  aifictl pseudonymise --in DIR --out DIR --key FILE [--profile P] --json REPORT [--site SITE]
                                             the gateway's engine over a folder, offline;
                                             P: a contract, a product's manifest, or a contract
                                             with blocks of a gateway's configuration
  aifictl pseudonymise verify DIR [--originals DIR] [--profile P]
                                             whether a folder may be called pseudonymised, and
                                             which checks could not be made

  --gateway URL   a gateway's own interface; may be given more than once
  --hub URL       the hub's interface
  --token-file F  a bearer token for the one server that is asked, or lines "URL TOKEN"
  --json          one JSON document on standard output (shapes: apps/aifictl/README.md)
  --help

Without options: AIFI_GATEWAY_URLS (separated by commas) or AIFI_GATEWAY_URL, AIFI_HUB_URL, and
AIFI_TOKEN_FILE. Times: 2026-11-20 or 2026-11-20T10:22:00Z.
Exit codes: 0 found, healthy or done; 1 not found, not healthy or refused; 2 wrong use.
`;
