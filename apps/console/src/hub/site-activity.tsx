/**
 * SiteActivity: jobs of a site by hour as a chart, with the same figures as a table.
 * Decides that lines differ by dash as well as colour and that the chart is a picture: its words
 * are the summary and the table. Source: WCAG 2.2, 1.1.1 and 1.4.1.
 */
import { Button, useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { hubRoutes, RouteOutput } from '@aifi/contracts-rest';
import { useLanguage } from '../frame/language.js';
import { DataTable, type Column } from '../parts/data-table.js';

type Hour = RouteOutput<typeof hubRoutes.siteActivity>['hours'][number];
type Series = 'opened' | 'concluded' | 'failed';
const SERIES: readonly { readonly name: Series; readonly color: string; dash: number[] }[] = [
  { name: 'opened', color: '--aifi-busy', dash: [] },
  { name: 'concluded', color: '--aifi-ok', dash: [8, 4] },
  { name: 'failed', color: '--aifi-bad', dash: [2, 3] },
];
/** Height of the chart. @unit CSS px */
const HEIGHT = 240;

export function SiteActivity({ hours }: { readonly hours: readonly Hour[] }) {
  const { words } = useLanguage();
  const { sites: text } = words.hub;
  const [hasTable, setTable] = useState(false);
  const sum = (name: Series): number => hours.reduce((total, hour) => total + hour[name], 0);
  const about = text.activityAbout(sum('opened'), sum('concluded'), sum('failed'));
  return (
    <figure className="aifi-figure">
      <figcaption>{about}</figcaption>
      <ul className="aifi-legend">
        {SERIES.map(({ name, color, dash }) => (
          <li key={name}>
            <svg width="28" height="8" aria-hidden="true">
              <line
                {...{ x1: 0, x2: 28, y1: 4, y2: 4, strokeWidth: 2.5 }}
                stroke={`var(${color})`}
                strokeDasharray={dash.join(' ')}
              />
            </svg>
            {text[name]}
          </li>
        ))}
      </ul>
      <Chart hours={hours} />
      <Button
        {...{ variant: 'default', size: 'xs', mt: 'sm', 'aria-expanded': hasTable }}
        onClick={() => setTable(!hasTable)}
      >
        {text.activityTable}
      </Button>
      {hasTable && <HourTable hours={hours} />}
    </figure>
  );
}

function Chart({ hours }: { readonly hours: readonly Hour[] }) {
  const { formats } = useLanguage();
  const scheme = useComputedColorScheme();
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = holder.current;
    if (!element) return undefined;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--aifi-quiet'),
      grid: { stroke: colour('--aifi-line'), width: 1 },
      ticks: { stroke: colour('--aifi-line'), width: 1 },
    };
    const chart = new uPlot(
      {
        ...{ width: element.clientWidth, height: HEIGHT, legend: { show: false } },
        cursor: { show: false },
        scales: { y: { range: (_chart, _low, high) => [0, Math.max(4, high * 1.1)] } },
        axes: [
          { ...axis, values: (_chart, splits) => splits.map((at) => formats.clock(at * 1_000)) },
          { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 10_000] },
        ],
        series: [
          {},
          ...SERIES.map(({ color, dash }) => ({ stroke: colour(color), width: 2, dash })),
        ],
      },
      [
        hours.map(({ startMs }) => startMs / 1_000),
        ...SERIES.map(({ name }) => hours.map((hour) => hour[name])),
      ],
      element,
    );
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [hours, formats, scheme]);
  return <div ref={holder} aria-hidden="true" />;
}

function HourTable({ hours }: { readonly hours: readonly Hour[] }) {
  const { words, formats } = useLanguage();
  const { sites: text } = words.hub;
  const columns: readonly Column<Hour>[] = [
    {
      ...{ key: 'hour', header: text.hour, isRowHeader: true },
      cell: ({ startMs }) => formats.hour(startMs),
    },
    ...SERIES.map(({ name }) => ({
      ...{ key: name, header: text[name], isNumber: true },
      cell: (hour: Hour) => formats.number(hour[name]),
    })),
  ];
  return (
    <div className="aifi-below">
      <DataTable
        caption={text.activityCaption}
        columns={columns}
        rows={hours}
        rowKey={({ startMs }) => String(startMs)}
        empty={words.frame.nothing}
        minWidth={340}
      />
    </div>
  );
}
