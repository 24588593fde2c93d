/**
 * PixelViewsService: a person looks at images that are held.
 * Decides that a look is opened first, with a reason where the table or a flag of the patient asks
 * for one, and lasts a quarter of an hour; that each picture is a record of its own, with its view;
 * and that a release needs every frame to see in every view, of images that decode whole.
 * Invariants: the pictures are of the digest that is held; an opening of a masked patient raises
 * its alert in the transaction of its record; openings are kept in memory, so after a start
 * everybody opens anew.
 * Source: pseudonymisation specification 1.5; security specification 5; NEN 7513.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '@aifi/access-web';
import { PIXEL_VIEWS } from '@aifi/contracts-rest';
import type { gatewayRoutes, PixelOpening, RouteInput } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';
import { raiseWhenMasked } from './identity-opening.js';
import {
  framesToSee,
  leftToSee,
  nothingSeen,
  seenWhole,
  type SeenViews,
} from './pixel-view-frames.js';
import { PixelHoldStore, type PixelHold } from './pixel-hold.store.js';
import { PreviewRenderer } from './preview/preview-renderer.js';
import { requireUnchanged, verifiedFile, type ShownFile } from './preview/shown-file.js';

type Routes = typeof gatewayRoutes;
/** As long as a session without a touch. [policy] @unit ms */
const OPENING_MS = 15 * 60_000;
/** Openings that are remembered; the oldest go. */
const OPENINGS_MAX = 1_000;

interface Opening {
  readonly file: ShownFile;
  readonly untilMs: number;
  readonly seen: SeenViews;
  /** Every frame has decoded. */
  isWhole: boolean;
}
/** What of the images somebody has seen. */
export interface SeenFrames {
  /** Frames that were shown in every view. */
  readonly seen: number;
  readonly frames: number;
  /** Which views there were to see. */
  readonly views: string;
}

@Injectable()
export class PixelViewsService {
  /** In the order of opening, the oldest first. */
  readonly #openings = new Map<string, Opening>();
  readonly #holds: PixelHoldStore;

  constructor(
    @Inject(SOURCES) private readonly sources: GatewaySources,
    @Inject(PreviewRenderer) private readonly renderer: PreviewRenderer,
  ) {
    this.#holds = new PixelHoldStore(sources.database);
  }

  async open(
    caller: Caller,
    { params, body }: RouteInput<Routes['openPixelHold']>,
  ): Promise<PixelOpening> {
    const { access, patients, clock, changes } = this.sources;
    const hold = this.#require(caller, params.holdId);
    const { reason } = body;
    const patient = (await patients.of(hold.studyUid))?.patient;
    const file = await verifiedFile(hold.path, hold.sha256);
    await access.database.transaction((tx) => {
      const masked = patient ? access.flags.maskOf(patient, tx) : null;
      if (reason === null && (caller.allowed.reasonRequired || masked !== null)) {
        throw new AifiError('INVALID_ARGUMENT', 'the request does not match: reason');
      }
      const opening = { caller, studyInstanceUid: hold.studyUid, reason: reason ?? '' };
      if (patient) raiseWhenMasked(tx, { access, clock }, patient, opening);
      const { jobId, sha256 } = hold;
      const subject = {
        ...{ objectType: 'pixel-hold', objectId: hold.id, reason },
        patientId: patient?.patientId ?? null,
        detail: { study: hold.studyUid, jobId, sha256, masked: masked ?? 'no' },
      };
      access.trail.append(tx, caller.draft(subject));
    });
    changes.notify('alerts');
    const untilMs = clock.nowMs() + OPENING_MS;
    this.#remember(keyOf(caller, hold), { file, untilMs, seen: nothingSeen(), isWhole: false });
    const { frames, rows, columns } = file;
    return { id: hold.id, sha256: hold.sha256, frames, rows, columns, untilMs };
  }

  /** One frame as PNG. */
  async preview(
    caller: Caller,
    { params, query }: RouteInput<Routes['pixelHoldPreview']>,
  ): Promise<Buffer> {
    const hold = this.#require(caller, params.holdId);
    const { frame, view } = query;
    const { id: objectId, studyUid, jobId, sha256 } = hold;
    const patientId = await this.sources.patients.numberOf(studyUid);
    const detail = { study: studyUid, jobId, sha256, frame, view };
    caller.about({ objectType: 'pixel-hold', objectId, patientId, detail });
    const opening = this.#openingOf(caller, hold);
    if (frame >= opening.file.frames) {
      throw new AifiError('NOT_FOUND', 'the images have no such frame');
    }
    await requireUnchanged(opening.file);
    const png = await this.renderer.render({ path: opening.file.path, frame, view });
    await requireUnchanged(opening.file);
    opening.seen[view].add(frame);
    return png;
  }

  /**
   * STATE_CONFLICT when the caller has not seen what a decision to release is about, or a frame is
   * there that nobody can be shown.
   */
  async requireSeen(caller: Caller, hold: PixelHold): Promise<SeenFrames> {
    const opening = this.#openingOf(caller, hold);
    const { seen, file } = opening;
    const left = leftToSee(framesToSee(hold.findings, file.frames), seen);
    if (left !== undefined) throw notSeen(`not seen yet: ${left}`);
    await requireUnchanged(file);
    if (!opening.isWhole) {
      await this.renderer.check({ path: file.path, frames: file.frames });
      await requireUnchanged(file);
      opening.isWhole = true;
    }
    return { seen: seenWhole(seen), frames: file.frames, views: PIXEL_VIEWS.join(' ') };
  }

  #require(caller: Caller, holdId: string): PixelHold {
    caller.requireSite(this.sources.config.siteId);
    caller.about({ objectType: 'pixel-hold', objectId: holdId });
    const hold = this.#holds.waiting(holdId);
    if (!hold) throw new AifiError('NOT_FOUND', 'no images wait here, or they are no longer kept');
    return hold;
  }

  #openingOf(caller: Caller, hold: PixelHold): Opening {
    const opening = this.#openings.get(keyOf(caller, hold));
    if (!opening || opening.untilMs <= this.sources.clock.nowMs()) throw notSeen();
    return opening;
  }

  #remember(key: string, opening: Opening): void {
    this.#openings.delete(key);
    this.#openings.set(key, opening);
    const oldest = this.#openings.keys().next().value;
    if (this.#openings.size > OPENINGS_MAX && oldest !== undefined) this.#openings.delete(oldest);
  }
}

/** One person, one file of one job, by its digest. */
const keyOf = ({ userId }: Caller, { jobId, sha256 }: PixelHold): string =>
  `${jobId} ${sha256} ${userId}`;
/** `what`: places and views only, never a word of the images. */
const notSeen = (
  what = 'every frame with a mark, the first and the last, in every view',
): AifiError => new AifiError('STATE_CONFLICT', `look at the images first: ${what}`);
