/**
 * LostResult: a PACS that answers 0000 for a result and has not kept it.
 * Decides which object that is: the next one that comes by DICOM after it was asked for, and only
 * that one. Orthanc's filter is a script read at its start, so that a file tells it when.
 * Source: Orthanc Book, Lua callbacks (ReceivedInstanceFilter).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class LostResult {
  readonly #flag: string;
  /** For the `LuaScripts` of the PACS. */
  readonly script: string;

  /** `folder`: ours, and as long there as the PACS. */
  constructor(folder: string, siteId: string) {
    this.#flag = join(folder, `lose-next-${siteId}`);
    this.script = join(folder, `lose-next-${siteId}.lua`);
    const text = `
      function ReceivedInstanceFilter(dicom, origin, info)
        if origin['RequestOrigin'] ~= 'DicomProtocol' then return true end
        return not os.remove('${this.#flag}')
      end`;
    writeFileSync(this.script, text);
  }

  loseNext(): void {
    writeFileSync(this.#flag, '');
  }
}
