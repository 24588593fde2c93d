/** Dutch words for every fault that a page can meet, by code of the kernel's catalogue. */
import type { Widened } from '../widened.js';
import type { problems as english } from '../en/problems.js';

export const problems: Widened<typeof english> = {
  OFFLINE: 'De server antwoordt niet. Controleer het netwerk en probeer het opnieuw.',
  UNREADABLE: 'De server gaf een antwoord dat deze pagina niet kent. Laad de pagina opnieuw.',
  OTHER: 'De server heeft het verzoek geweigerd.',
  UNAUTHENTICATED: 'U bent niet aangemeld, of uw sessie is beëindigd.',
  STEP_UP_REQUIRED: 'Deze handeling vraagt een nieuwe bevestiging dat u het bent.',
  APPROVAL_REQUIRED: 'Eerst moet een tweede persoon akkoord gaan, of de tijd is verstreken.',
  FORBIDDEN: 'Geen van uw rollen staat dit toe. De weigering is vastgelegd.',
  NOT_FOUND: 'Het is er niet, of niet voor u.',
  STATE_CONFLICT: 'Iemand anders heeft dit intussen gewijzigd. Vernieuw en kijk opnieuw.',
  INVALID_ARGUMENT: 'De server heeft niet aanvaard wat is ingevuld.',
  INVALID_IDENTIFIER: 'Dit kenmerk is niet geldig.',
  UNTRUSTED: 'Een handtekening of certificaat kon niet worden geverifieerd.',
  LIMIT_EXCEEDED: 'Een grens is bereikt. Wacht even en probeer het opnieuw.',
  PEER_UNAVAILABLE: 'Een ander deel van het platform antwoordt niet. Probeer het zo opnieuw.',
  PEER_REFUSED: 'Een ander deel van het platform heeft geweigerd.',
  DEADLINE_EXCEEDED: 'Het duurde te lang. Kijk eerst of het is gebeurd en probeer het dan opnieuw.',
  OUT_OF_RESOURCES: 'De schijf van de server is vol.',
  DIGEST_MISMATCH: 'De gegevens zijn niet wat was aangekondigd.',
  MODEL_FAILED: 'Het model is vastgelopen of gaf onbruikbare uitvoer.',
  CONFIG_INVALID: 'De server is niet goed geconfigureerd.',
  INTERNAL: 'Een fout in het platform. Meld het nummer hieronder.',
  DICOM_MALFORMED: 'De gegevens zijn afgebroken of spreken zichzelf tegen.',
  POISON_INPUT: 'Dit object liet de ontvanger drie keer vastlopen en wordt niet meer gelezen.',
  DICOM_SOP_MISMATCH: 'Het object is niet het object dat was aangekondigd.',
  DICOM_SOP_CLASS_UNSUPPORTED: 'Dit soort object (SOP class) wordt niet aangenomen.',
};
