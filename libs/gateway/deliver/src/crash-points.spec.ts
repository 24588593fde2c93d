/**
 * Goal: a kill at each named point loses nothing and sends nothing twice. Method: at the armed
 * point the database is closed, so that nothing after it becomes durable; a new service takes over.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CommitmentReport, CommitmentRequest } from '@aifi/dicom-dimse';
import { armCrashPoint } from '@aifi/shared-kernel';
import { DeliverService } from './deliver-service.js';
import { TestDeliveries } from './test-deliveries.js';

const POINTS = [
  'before-store',
  'after-store',
  'after-row',
  'commitment-on-record',
  'after-commitment-request',
  'after-lost',
  'after-verified',
];
const committed = ({ transactionUid, objects }: CommitmentRequest): CommitmentReport => ({
  ...{ transactionUid, committed: objects, failed: [] },
});

describe(DeliverService.name, () => {
  let test: TestDeliveries;
  let deaths: number;
  beforeEach(async () => {
    test = new TestDeliveries();
    deaths = 0;
    const commitment = { waitMs: 0, timeoutMs: 86_400_000 };
    test.restart({ associationsMax: 1, commitment });
    await test.queueMany(3);
    jest.spyOn(process, 'kill').mockImplementation(() => {
      deaths += 1;
      armCrashPoint('none');
      test.database.close();
      throw new Error('killed');
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    test.close();
  });

  it.each(POINTS.flatMap((point) => [1, 2].map((passage) => ({ point, passage }))))(
    'goes on after a kill at $point, passage $passage',
    async ({ point, passage }) => {
      // The first two objects are lost once, so that every point is passed twice.
      const lost = new Set<string>();
      test.pacs.otherwise = ({ sopInstanceUid }) => {
        if (lost.size >= 2 || lost.has(sopInstanceUid)) return 0;
        lost.add(sopInstanceUid);
        return 'lose';
      };
      test.pacs.commit = (request) => {
        const isThere = test.pacs.listed.has(request.objects[0]!.sopInstanceUid);
        if (isThere) return committed(request);
        const failed = request.objects.map((object) => ({ ...object, reason: 0x0112 }));
        return { ...committed(request), committed: [], failed };
      };
      armCrashPoint(`gateway.deliver.${point}#${passage}`);
      await expect(test.work(10)).rejects.toThrow('database closed');
      expect(deaths).toBe(1);
      test.restart();
      await test.work(30);
      expect(test.jobs()).toEqual({ RESULT_IN_PACS: 3 });
      expect(test.pacs.listed.size).toBe(3);
      expect(test.pacs.stored).toHaveLength(3);
      expect(test.events().filter((event) => event === 'delivered')).toHaveLength(3);
    },
  );
});
