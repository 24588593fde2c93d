/** Dutch words of the gateway page. */
import type { Widened } from '../widened.js';
import type { gateway as english } from '../en/gateway.js';

export const gateway: Widened<typeof english> = {
  nav: {
    studies: 'Onderzoeken',
    status: 'Wachtrij en schijf',
    deadLetters: 'Niet afgeleverd',
    pixelHolds: 'Beelden bekijken',
    reidentify: 'Heridentificeren',
    recall: 'Terugroepen',
    erasure: 'Patiënt wissen',
    approvals: 'Goedkeuringen',
    flags: 'Afgeschermde patiënten',
    alerts: 'Meldingen',
    audit: 'Logging',
    extract: 'Inzageoverzicht',
  },
  studies: {
    titles: {
      today: 'Onderzoeken van vandaag',
      week: 'Onderzoeken van 7 dagen',
      all: 'Alle onderzoeken',
    },
    title: 'Onderzoeken',
    lead:
      'Wat er met elk onderzoek is gebeurd, en waarom een onderzoek niet is verzonden of niet ' +
      'is geanalyseerd.',
    caption: 'Onderzoeken, nieuwste eerst',
    period: 'Periode',
    periods: { today: 'Vandaag', week: '7 dagen', all: 'Alle' },
    state: 'Status',
    received: 'Ontvangen',
    patient: 'Patiënt',
    study: 'Onderzoek',
    products: 'AI-producten',
    noProducts: 'Geen product vroeg om dit onderzoek; er is niets verzonden.',
    undecided: 'Nog niet beslist.',
    instances: (count) => (count === 1 ? '1 instance' : `${count} instances`),
    born: (date) => `geboren ${date}`,
    number: (value) => `nummer ${value}`,
    accession: (value) => `accession ${value}`,
    sexes: { F: 'vrouw', M: 'man', O: 'anders' },
    hidden: 'niet zichtbaar voor uw rol',
    masked: 'Afgeschermd',
    open: 'Identiteit openen',
    openTitle: 'De identiteit van dit onderzoek openen',
    openText: 'Uw naam, de tijd en uw reden worden vastgelegd.',
    openAlert:
      'Deze patiënt is afgeschermd. De privacy officer krijgt meteen bericht dat u de ' +
      'identiteit hebt geopend.',
    openHint: 'Waarom moet u weten wie dit is? Schrijf hier niet de naam van de patiënt.',
    opened: 'De identiteit staat in de lijst tot u de pagina verlaat.',
    trace: 'Stappen',
    statusObject: (issue) => `AI-statusobject, uitgave ${issue}`,
  },
  study: {
    title: 'Onderzoek',
    lead: 'Elke stap in deze gateway, in de volgorde van de gegevens.',
    uid: 'Study Instance UID',
    received: 'Ontvangen',
    receivedText: (instances, callers) => `${instances} instances van ${callers}`,
    open: 'Nog niet in een revisie',
    conflicts: 'Conflicten',
    revision: 'Revisie',
    own: 'Het onderzoek zelf',
    hops: (product) => `Stappen van ${product}`,
    deadline: 'Uiterste tijd',
    lane: 'Spoor',
    model: 'Model',
    upload: 'Naar de hub',
    uploadText: (done, all) => `${done} van ${all} objecten bevestigd`,
    nextAttempt: 'Volgende poging',
    deliveries: 'Afleveringen aan het PACS',
    deliveriesCaption: 'Resultaatobjecten en hun status in het PACS',
    status: 'AI-statusobject',
    statusCaption: 'Uitgaven van het AI-statusobject',
    role: 'Soort',
    state: 'Status',
    dimse: 'PACS-status',
    attempts: 'Pogingen',
    digest: 'Hash',
    issue: 'Uitgave',
    files: 'Bestanden',
    filesCaption: 'Bestanden van dit onderzoek op de schijf van de gateway',
    folder: 'Map',
    rows: 'Regels',
    present: 'Op schijf',
    size: 'Grootte',
    waits: (count: number) =>
      count === 1 ? '1 beeld wacht op een persoon' : `${count} beelden wachten op een persoon`,
    look: 'Beelden bekijken',
    retry: 'Opnieuw proberen',
    retryTitle: 'Dit product opnieuw proberen?',
    retryText:
      'De beelden worden opnieuw klaargemaakt uit wat is ontvangen. Doe dit als de oorzaak is ' +
      'verholpen, bijvoorbeeld na een correctie in het PACS. Uw naam en de tijd worden vastgelegd.',
    retried: 'Het product wordt opnieuw geprobeerd.',
    notRetried:
      'Er is niets veranderd: het wacht nog op een persoon, of een nieuwere revisie is verder.',
    roles: {
      SR: 'Gestructureerd verslag',
      SC: 'Secondary capture',
      SEG: 'Segmentatie',
      status: 'AI-status',
    },
  },
  status: {
    title: 'Wachtrij en schijf',
    lead:
      'Of deze gateway werkt: verbinding, PACS, wat nog verzonden moet worden, schijf, ' +
      'weigeringen.',
    site: 'Locatie',
    version: 'Versie',
    asOfName: 'Stand van',
    link: 'Verbinding met de hub',
    pacs: 'PACS',
    pacsAway: 'Wordt elke 30 seconden opnieuw gevraagd; resultaten wachten op de schijf.',
    rules: 'Routeringsregels',
    rulesText: (sequence, time) => `Nummer ${sequence}, uitgegeven ${time}`,
    noRules: 'Nog geen: tot ze er zijn wordt niets verzonden',
    deadLetters: 'Niet afgeleverd',
    deadLettersText: (time) => `het oudste van ${time}`,
    deadLettersNone: 'Niets',
    pixelHolds: 'Beelden te bekijken',
    pixelHoldsText: (time: string) => `de oudste sinds ${time}`,
    pixelHoldsNone: 'Geen',
    commitments: 'PACS moet bevestigen',
    disk: 'Vrije schijfruimte',
    diskText: (size, percent) => `${size} vrij, ${percent} % in gebruik`,
    diskRefuses: {
      normal: 'Er wordt niets geweigerd.',
      warning: 'Er wordt nog niets geweigerd. Maak ruimte op de schijf van de gateway.',
      'refuse-routine':
        'Routineonderzoeken worden geweigerd (A700): de afzender houdt ze en probeert het ' +
        'opnieuw. Acute onderzoeken en resultaten gaan door. Maak nu ruimte.',
      'refuse-all':
        'Alle nieuwe onderzoeken worden geweigerd (A700): de afzender houdt ze en probeert het ' +
        'opnieuw. Wat hier is, is veilig, en resultaten gaan door. Maak nu ruimte.',
    },
    diskLow: 'Bijna vol: binnenkomende onderzoeken worden geweigerd',
    spool: 'Nog naar de hub',
    spoolText: (jobs, objects, size) => `${jobs} opdrachten met ${objects} objecten, ${size}`,
    spoolEmpty: 'Er wacht niets',
    anchors: 'Auditankers van de hub',
    anchorsText: (day) => `Hier bewaard tot en met ${day}`,
    anchorsNone: 'Nog geen',
    anchorsBad: (count) => `${count} in strijd met de hub: meld dit de privacy officer`,
    studies: 'Bekende onderzoeken',
    jobs: 'Opdrachten per status',
    jobsCaption: 'Aantal opdrachten in elke status',
    refusals: 'Aan de deur geweigerd',
    refusalsCaption: 'Wat is geweigerd, nieuwste eerst',
    refusalsNone: 'De laatste tijd is niets geweigerd.',
    refusalsText: 'Er is niets van bewaard; de afzender heeft het nog.',
    at: 'Minuut',
    caller: 'AE-titel van de afzender',
    what: 'Wat',
    dimse: 'DICOM-status',
    times: 'Aantal',
  },
  deadLetters: {
    title: 'Niet afgeleverd',
    lead:
      'Resultaten en statusobjecten die het PACS niet aannam of niet bewaarde. Ze blijven hier ' +
      'tot iemand ze opnieuw laat sturen.',
    caption: 'Niet afgeleverde objecten, nieuwste eerst',
    since: 'Sinds',
    product: 'Product en object',
    everyProduct: 'Alle producten',
    reason: 'Reden',
    dimse: 'PACS-status',
    attempts: 'Pogingen',
    replays: (count) => `${count}× opnieuw`,
    study: 'Onderzoek',
    job: 'Opdracht',
    action: 'Opnieuw sturen',
    one: 'Dit object opnieuw naar het PACS sturen?',
    all: (count) => `Alle opnieuw sturen (${count})`,
    allTitle: 'Deze objecten allemaal opnieuw naar het PACS sturen?',
    allText: (count) => `Objecten die opnieuw naar het PACS gaan: ${count}.`,
    text:
      'Er wordt niets nieuw gemaakt: het PACS krijgt dezelfde bytes met dezelfde UID. Kijk eerst ' +
      'of de oorzaak weg is. Uw naam en de tijd worden vastgelegd.',
    replayed: (count) => `Gaat opnieuw naar het PACS: ${count}.`,
    skipped: (count) => `Overgeslagen, want intussen opgelost of ingehaald: ${count}.`,
    none: 'Alles is afgeleverd.',
    noneOfReason: 'Om deze reden is niets blijven liggen.',
    badge: (count) => `${count} niet afgeleverd`,
  },
  pixelHolds: {
    title: 'Beelden bekijken',
    lead:
      'Op deze beelden staat misschien wie de patiënt is. Ze blijven in het ziekenhuis tot ' +
      'iemand ze heeft bekeken; na de uiterste tijd wordt het onderzoek gemeld als niet ' +
      'geanalyseerd.',
    caption: 'Beelden die op een persoon wachten, acuut eerst',
    since: 'Tegengehouden sinds',
    product: 'Product en spoor',
    reason: 'Waarom',
    deadline: 'Uiterste tijd',
    late: 'voorbij: gemeld als niet geanalyseerd',
    marks: 'Markeringen',
    files: (count: number) =>
      count === 1 ? '1 bestand van deze opdracht' : `${count} bestanden van deze opdracht`,
    study: 'Onderzoek',
    job: 'Opdracht',
    look: 'Bekijken',
    none: 'Er wacht geen beeld.',
    gone: 'Hier wacht niets: iemand heeft beslist, of de beelden worden niet meer bewaard.',
    back: 'Alle beelden die wachten',
    badge: (count: number) => `${count} te bekijken`,
    lookTitle: 'De beelden bekijken',
    lookLead:
      'Staat er een naam, een nummer, een geboortedatum of iets anders in het beeld waaraan de ' +
      'patiënt te herkennen is? Tekst staat vaak in de hoeken en langs de randen.',
    open: 'Beelden tonen',
    openText: 'Uw naam en de tijd worden bij elk beeld vastgelegd.',
    openHint: 'Waarom bekijkt u deze beelden?',
    picture: (frame: number, all: number) => `Beeld ${frame} van ${all}`,
    pictureAlt: (frame: number, marks: number, view: string) =>
      marks === 0
        ? `Voorbeeld van beeld ${frame} (${view}), zonder markeringen`
        : `Voorbeeld van beeld ${frame} (${view}); op ${marks} plaatsen is iets als tekst gezien`,
    marksHere: (count: number) => (count === 1 ? '1 markering hier' : `${count} markeringen hier`),
    previous: 'Vorig beeld',
    next: 'Volgend beeld',
    nextToSee: 'Volgende nog te zien',
    view: 'Hoe het beeld wordt getoond',
    views: {
      window: 'Ingesteld',
      full: 'Hele bereik',
      detail: 'Vage details',
    },
    viewTexts: {
      window: 'De helderheid waar het beeld zelf om vraagt. Tekst kan daarbuiten liggen.',
      full: 'Alles tussen de laagste en de hoogste waarde van het beeld.',
      detail: 'Elke plek vergeleken met wat eromheen ligt: ook vage tekst springt eruit.',
    },
    leftInView: (frames: string, count: number) =>
      count === 1 ? `beeld ${frames} nog te zien` : `nog ${count} te zien: beelden ${frames}`,
    seenInView: 'gezien',
    allSeen: 'Alles wat gezien moet worden is gezien: de beelden kunnen worden vrijgegeven.',
    notAllSeen: 'Vrijgeven kan zodra dit is gezien:',
    hideMarks: 'Markeringen verbergen',
    showMarks: 'Markeringen tonen',
    notShown: 'Het beeld kan niet worden getoond. Laad de pagina opnieuw en open de beelden weer.',
    digest: 'Digest van het bestand',
    toSee: (count: number) =>
      count === 1
        ? 'Eén weergave moet nog worden bekeken voor het vrijgeven.'
        : `${count} weergaven moeten nog worden bekeken voor het vrijgeven, alles bij elkaar.`,
    decide: 'Beslissing',
    decideText:
      'Vrijgegeven: precies dit bestand mag het ziekenhuis uit, als pseudoniem. Afgewezen: het ' +
      'onderzoek wordt door dit product niet geanalyseerd. Beide zijn niet terug te draaien.',
    release: 'Vrijgeven',
    reject: 'Afwijzen',
    decideHint: 'Wat zag u? Schrijf hier niet de naam van de patiënt.',
    released: (waiting: number) =>
      waiting === 0
        ? 'Vrijgegeven: het onderzoek gaat verder.'
        : `Vrijgegeven. Nog te bekijken: ${waiting}.`,
    releasedOnly:
      'Vrijgegeven, maar het onderzoek gaat niet verder: een nieuwere revisie is verder.',
    rejected: 'Afgewezen: het onderzoek wordt gemeld als niet geanalyseerd.',
    decidedBefore: 'Iemand had al beslist; er is niets veranderd.',
  },
  recall: {
    title: 'Terugroepen',
    lead:
      'Welke onderzoeken een uitslag van een product in het PACS hebben, bijvoorbeeld als een ' +
      'versie fout blijkt. Bewaard zolang als de onderzoeken, ook als de koppeling weg is.',
    product: 'Product',
    version: 'Versie',
    versionHint: 'Leeg: alle versies',
    caption: 'Uitslagen in het PACS, nieuwste eerst',
    count: (results: number, studies: number) => `${results} uitslagen in ${studies} onderzoeken`,
    file: 'Hele lijst als CSV',
    registered: 'Opgeslagen',
    result: 'Uitslag',
    study: 'Onderzoek',
    studyDate: 'Onderzoeksdatum',
    model: 'Model',
    issue: 'Revisie en uitgave',
    none: 'Van dit product staat geen uitslag in het register.',
  },
  erasure: {
    title: 'Patiënt wissen',
    lead:
      'Wist bij wie pseudonieme onderzoeken horen, na een verzoek van de patiënt. Twee personen ' +
      'moeten het eens zijn. Uitslagen die er al zijn, blijven in het PACS.',
    patientId: 'Patiëntnummer',
    issuer: 'Uitgever (als er meer zijn)',
    compute: 'Code tonen',
    code: 'Code van deze patiënt',
    codeText:
      'Wie akkoord geeft, vult het nummer hier ook in en vergelijkt de code: die staat in het ' +
      'verzoek in plaats van het nummer. Na een herstart van de gateway is het een andere.',
    studies: 'Onderzoeken in de kluis',
    withoutIssuer: 'Zelfde nummer zonder uitgever',
    withoutIssuerText: (count: number) =>
      count === 1
        ? '1 onderzoek heeft dit nummer en geen uitgever. Is het van deze patiënt? Het wordt ' +
          'apart gewist: vul het nummer zonder uitgever in.'
        : `${count} onderzoeken hebben dit nummer en geen uitgever. Zijn ze van deze patiënt? Ze ` +
          'worden apart gewist: vul het nummer zonder uitgever in.',
    stays:
      'Wat blijft: ontvangen bestanden, tot ze zoals altijd worden verwijderd; onderzoeken en ' +
      'uitslagen in het PACS; de vastlegging van wie wat heeft bekeken. Werk dat nog loopt, kan ' +
      'een onderzoek opnieuw koppelen: toon de code na een dag weer; die hoort 0 te tellen.',
    extent: 'Register van uitslagen',
    extents: {
      keep: 'Bewaren: bij terugroepen worden de onderzoeken nog gevonden',
      erase: 'Ook wissen: bij terugroepen worden ze niet gevonden',
    },
    ask: 'Wissen aanvragen',
    askHint: 'Wat heeft de patiënt gevraagd, en wanneer?',
    erase: 'Voorgoed wissen',
    eraseHint: 'Waarom wordt deze patiënt gewist?',
    eraseText: 'Dit kan niet ongedaan worden gemaakt.',
    done: (jobs: number, results: number) =>
      `Gewist: ${jobs} koppelingen, ${results} regels van het register.`,
  },
  reidentify: {
    title: 'Heridentificeren',
    lead:
      'Van wie het onderzoek van een pseudonieme opdracht is, bijvoorbeeld als de hub er een ' +
      'fout in meldt. Twee personen moeten akkoord zijn; de toegang duurt een uur en elke ' +
      'inzage wordt vastgelegd.',
    job: 'Opdrachtnummer',
    jobHint: '32 tekens, zoals de hub het toont',
    jobBad: 'Een opdrachtnummer heeft 32 tekens: 0-9 en a-f.',
    look: 'Verder',
    ask: 'Toegang vragen',
    askHint: 'Waarom moet deze opdracht worden geheridentificeerd?',
    show: 'Tonen van wie het onderzoek is',
    result: 'Het onderzoek van deze opdracht',
    study: 'Onderzoek',
    pseudonym: 'Pseudoniem',
  },
  patient: {
    name: 'Naam',
    patientId: 'Patiëntnummer',
    issuer: 'Uitgever',
    birthDate: 'Geboortedatum',
    sex: 'Geslacht',
    accessionNumber: 'Accession number',
  },
  flags: {
    title: 'Afgeschermde patiënten',
    lead:
      'De identiteit van deze patiënten is afgeschermd; openen vraagt een reden en geeft u een ' +
      'melding.',
    caption: 'Patiënten met een afgeschermde identiteit',
    add: 'Een patiënt afschermen',
    addTitle: 'Een patiënt afschermen',
    patientId: 'Patiëntnummer',
    issuer: 'Uitgever (als er meer zijn)',
    kind: 'Waarom',
    since: 'Sinds',
    setBy: 'Door',
    remove: 'Afscherming beëindigen',
    removeTitle: 'De afscherming van deze patiënt beëindigen',
    added: 'De patiënt is vanaf nu afgeschermd.',
    removed: 'De afscherming is beëindigd.',
    none: 'Er is geen patiënt afgeschermd.',
  },
  alerts: {
    title: 'Meldingen',
    lead: 'Inzage bij afgeschermde patiënten. Ga na of elke inzage terecht was.',
    caption: 'Inzage bij afgeschermde patiënten, nieuwste eerst',
    at: 'Tijd',
    who: 'Wie',
    masked: 'Afgeschermd als',
    reason: 'Opgegeven reden',
    study: 'Onderzoek',
    state: 'Gezien',
    seenBy: (name, time) => `Gezien door ${name}, ${time}`,
    unseen: 'Nog niet gezien',
    acknowledge: 'Als gezien merken',
    acknowledged: 'Als gezien gemerkt.',
    none: 'Geen afgeschermde patiënt is geopend.',
  },
  extract: {
    title: 'Inzageoverzicht',
    lead:
      'Wie de gegevens van één patiënt heeft ingezien, in woorden die de patiënt kan lezen ' +
      '(NEN 7513). Ook het maken ervan wordt vastgelegd.',
    patientId: 'Patiëntnummer',
    language: 'Taal van de tekst',
    make: 'Overzicht maken',
    result: 'Tekst voor de patiënt',
    records: (count) => `Gemaakt uit ${count} logregels.`,
    copy: 'Tekst kopiëren',
  },
};
