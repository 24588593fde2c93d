/**
 * HeldPicture: one frame in one view at a time, with the places where something like text was seen.
 * Decides that the marks are drawn by the page over the picture, never into it, and can be hidden,
 * so that nobody decides on what lies under them; that one button leads through all that has to be
 * seen; and that the place on the screen stays when the view changes, to compare. Invariant: no
 * inline style (CSP); every frame and view is reached by the keyboard. Units: pixels of the image,
 * [x, y] from its upper left corner.
 */
import { Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { gatewayRoutes, PIXEL_VIEWS } from '@aifi/contracts-rest';
import type { PixelHoldView, PixelOpening, PixelView } from '@aifi/contracts-rest';
import { addressOf } from '../api/call.js';
import { firstToSee, keyOfLook, nextOf, type Look } from '../format/frames-to-see.js';
import { useWords } from '../frame/language.js';
import { Card } from '../parts/card.js';
import { Facts } from '../parts/facts.js';

interface HeldPictureProps {
  readonly hold: PixelHoldView;
  readonly opening: PixelOpening;
  /** What has to be seen before a release, and was not. */
  readonly left: readonly Look[];
  /** Called when the picture stands. */
  readonly onSeen: (look: Look) => void;
}

export function HeldPicture({ hold, opening, left, onSeen }: HeldPictureProps) {
  const { pixelHolds } = useWords().gateway;
  const { frames } = opening;
  const [look, setLook] = useState<Look>(() => ({
    frame: firstToSee(hold.findings, frames),
    view: PIXEL_VIEWS[0],
  }));
  const [isMarked, setMarked] = useState(true);
  const { frame, view } = look;
  const marks = hold.findings.filter((one) => one.frame === frame);
  const label = pixelHolds.pictureAlt(frame + 1, marks.length, pixelHolds.views[view]);
  return (
    <Card title={pixelHolds.picture(frame + 1, frames)}>
      <Stack gap="sm">
        <ViewChoice view={view} onChange={(chosen) => setLook({ frame, view: chosen })} />
        <Group gap="sm">
          <Step
            label={pixelHolds.previous}
            isOff={frame === 0}
            onStep={() => setLook({ frame: frame - 1, view })}
          />
          <Step
            label={pixelHolds.next}
            isOff={frame === frames - 1}
            onStep={() => setLook({ frame: frame + 1, view })}
          />
          <Step
            label={pixelHolds.nextToSee}
            isOff={left.every((one) => keyOfLook(one) === keyOfLook(look))}
            onStep={() => setLook(nextOf(left, look))}
          />
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
        <Left left={left} />
        <Picture
          key={frame}
          {...{ hold, opening, look, onSeen, label }}
          marks={isMarked ? marks : []}
        />
      </Stack>
    </Card>
  );
}

interface ViewChoiceProps {
  readonly view: PixelView;
  readonly onChange: (view: PixelView) => void;
}
function ViewChoice({ view, onChange }: ViewChoiceProps) {
  const { pixelHolds } = useWords().gateway;
  return (
    <Stack gap={4} align="flex-start">
      <Text size="sm" fw={600} aria-hidden="true">
        {pixelHolds.view}
      </Text>
      <SegmentedControl
        aria-label={pixelHolds.view}
        value={view}
        onChange={onChange}
        data={PIXEL_VIEWS.map((value) => ({ value, label: pixelHolds.views[value] }))}
      />
      <Text size="sm">{pixelHolds.viewTexts[view]}</Text>
    </Stack>
  );
}

/** Numbers that are told one by one; the button leads to all. */
const TOLD_MAX = 12;
/** What stands between now and a release, view by view. */
function Left({ left }: Pick<HeldPictureProps, 'left'>) {
  const { pixelHolds } = useWords().gateway;
  const words = (view: PixelView): string => {
    const frames = left.filter((one) => one.view === view).map(({ frame }) => frame + 1);
    if (frames.length === 0) return pixelHolds.seenInView;
    const told = frames.slice(0, TOLD_MAX).join(', ');
    return pixelHolds.leftInView(told + (frames.length > TOLD_MAX ? ', …' : ''), frames.length);
  };
  if (left.length === 0) return <Text size="sm">{pixelHolds.allSeen}</Text>;
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        {pixelHolds.notAllSeen}
      </Text>
      <Facts rows={PIXEL_VIEWS.map((view) => [pixelHolds.views[view], words(view)])} />
    </Stack>
  );
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
  readonly look: Look;
  readonly marks: PixelHoldView['findings'];
  readonly label: string;
}
function Picture({ hold, opening, look, marks, label, onSeen }: PictureProps) {
  const { pixelHolds } = useWords().gateway;
  const [failed, setFailed] = useState<PixelView>();
  if (failed === look.view) return <Text role="alert">{pixelHolds.notShown}</Text>;
  const { rows, columns } = opening;
  const { frame, view } = look;
  const input = { params: { holdId: hold.id }, query: { frame, view } };
  return (
    <div className="aifi-held" tabIndex={0} role="region" aria-label={label}>
      <div className="aifi-held-frame">
        {/* The size is told beforehand: the page keeps its place until the picture has come. */}
        <img
          key={view}
          {...{ width: columns, height: rows, alt: label }}
          src={addressOf(gatewayRoutes.pixelHoldPreview.path, input)}
          onLoad={() => onSeen(look)}
          onError={() => setFailed(view)}
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
