/**
 * HeldPicture: one frame at a time, with the places where something like text was seen.
 * Decides that the marks are drawn by the page over the picture, never into it, and can be hidden,
 * so that nobody decides on what lies under them. Invariant: no inline style (CSP); every frame is
 * reached by the keyboard. Units: pixels of the image, [x, y] from its upper left corner.
 */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { gatewayRoutes, type PixelHoldView, type PixelOpening } from '@aifi/contracts-rest';
import { addressOf } from '../api/call.js';
import { firstToSee, nextOf } from '../format/frames-to-see.js';
import { useWords } from '../frame/language.js';
import { Card } from '../parts/card.js';

interface HeldPictureProps {
  readonly hold: PixelHoldView;
  readonly opening: PixelOpening;
  /** Frames that have to be seen before a release, and were not. */
  readonly left: readonly number[];
  /** Called when the picture of a frame stands. */
  readonly onSeen: (frame: number) => void;
}

export function HeldPicture({ hold, opening, left, onSeen }: HeldPictureProps) {
  const { pixelHolds } = useWords().gateway;
  const { frames } = opening;
  const [frame, setFrame] = useState(() => firstToSee(hold.findings, frames));
  const [isMarked, setMarked] = useState(true);
  const marks = hold.findings.filter((one) => one.frame === frame);
  return (
    <Card title={pixelHolds.picture(frame + 1, frames)}>
      <Stack gap="sm">
        <Group gap="sm">
          <Step
            label={pixelHolds.previous}
            isOff={frame === 0}
            onStep={() => setFrame(frame - 1)}
          />
          <Step
            label={pixelHolds.next}
            isOff={frame === frames - 1}
            onStep={() => setFrame(frame + 1)}
          />
          {frames > 1 && (
            <Step
              label={pixelHolds.nextToSee}
              isOff={left.every((one) => one === frame)}
              onStep={() => setFrame(nextOf(left, frame))}
            />
          )}
          {marks.length > 0 && (
            <Button
              {...{ size: 'xs', variant: 'default', 'aria-pressed': !isMarked }}
              onClick={() => setMarked(!isMarked)}
            >
              {isMarked ? pixelHolds.hideMarks : pixelHolds.showMarks}
            </Button>
          )}
          <Text size="sm" aria-live="polite">
            {pixelHolds.picture(frame + 1, frames)}
            {marks.length > 0 && `, ${pixelHolds.marksHere(marks.length)}`}
          </Text>
        </Group>
        {frames > 1 && <Text size="sm">{leftWords(left, pixelHolds)}</Text>}
        <Picture
          key={frame}
          {...{ hold, opening, frame, onSeen }}
          marks={isMarked ? marks : []}
          label={pixelHolds.pictureAlt(frame + 1, marks.length)}
        />
      </Stack>
    </Card>
  );
}

/** Numbers that are told one by one; the button leads to all. */
const TOLD_MAX = 12;
type HoldWords = ReturnType<typeof useWords>['gateway']['pixelHolds'];
function leftWords(left: readonly number[], words: HoldWords): string {
  if (left.length === 0) return words.allSeen;
  const told = left.slice(0, TOLD_MAX).map((frame) => frame + 1);
  return words.leftToSee(told.join(', ') + (left.length > TOLD_MAX ? ', …' : ''), left.length);
}

interface StepProps {
  readonly label: string;
  readonly isOff: boolean;
  readonly onStep: () => void;
}
function Step({ label, isOff, onStep }: StepProps) {
  return (
    <Button {...{ size: 'xs', variant: 'default', disabled: isOff, onClick: onStep }}>
      {label}
    </Button>
  );
}

interface PictureProps extends Omit<HeldPictureProps, 'left'> {
  readonly frame: number;
  readonly marks: PixelHoldView['findings'];
  readonly label: string;
}
function Picture({ hold, opening, frame, marks, label, onSeen }: PictureProps) {
  const { pixelHolds } = useWords().gateway;
  const [isFailed, setFailed] = useState(false);
  if (isFailed) return <Text role="alert">{pixelHolds.notShown}</Text>;
  const { rows, columns } = opening;
  const input = { params: { holdId: hold.id }, query: { frame } };
  return (
    <div className="aifi-held" tabIndex={0} role="region" aria-label={label}>
      <div className="aifi-held-frame">
        <img
          src={addressOf(gatewayRoutes.pixelHoldPreview.path, input)}
          alt={label}
          onLoad={() => onSeen(frame)}
          onError={() => setFailed(true)}
        />
        {marks.length > 0 && (
          <svg
            {...{ viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: 'none' }}
            aria-hidden="true"
            focusable="false"
          >
            {marks.map(({ x, y, width, height }, index) => (
              <g key={index}>
                <rect {...{ x, y, width, height }} vectorEffect="non-scaling-stroke" />
                <rect {...{ x, y, width, height }} vectorEffect="non-scaling-stroke" />
              </g>
            ))}
          </svg>
        )}
      </div>
    </div>
  );
}
