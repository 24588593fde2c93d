/**
 * Goal: a study is asked for in one order of its own, and its answer reads in words.
 * Method: the command against answers of a gateway made by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { aTerminal, GATEWAY, T0, UID } from '../test/answers.js';
import { runAifictl } from './run.js';
import { studyRequestDocumentSchema, studyRequestsDocumentSchema } from './study-commands.js';

const PATH = `${GATEWAY}/api/v1/studies/${UID}/requests`;
const at = ['--gateway', GATEWAY];

describe('aifictl study', () => {
  it.each([
    [true, `lung is asked for on ${UID}; `],
    [false, `lung was asked for on ${UID} already, `],
  ])('requests a product, new %s', async (isNew, words) => {
    const answers = { [PATH]: { product: 'lung', requestedAtMs: T0, isNew } };
    const args = ['study', 'request', UID, '--product', 'lung', ...at];
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    expect(await runAifictl(args, text)).toBe(0);
    expect(text.printed().startsWith(words)).toBe(true);
    expect(await runAifictl([...args, '--reason', 'asked by the ward', '--json'], json)).toBe(0);
    const document = studyRequestDocumentSchema.parse(JSON.parse(json.printed()));
    expect(document.request).toEqual({ product: 'lung', requestedAtMs: T0, isNew });
  });
  it('tells what came of requests', async () => {
    const item = { product: 'lung', source: 'ae-title', requestedAtMs: T0, answeredAtMs: T0 };
    const items = [
      { ...item, answeredAtMs: null, answer: null, words: null },
      { ...item, answer: 'OBJECTION', words: { en: 'the patient objects', nl: 'bezwaar' } },
    ];
    const [text, json] = [aTerminal({ [PATH]: { items } }), aTerminal({ [PATH]: { items } })];
    expect(await runAifictl(['study', 'requests', UID, ...at], text)).toBe(0);
    expect(text.printed()).toMatch(/not answered yet\n.*OBJECTION: the patient objects\n$/);
    await runAifictl(['study', 'requests', UID, ...at, '--json'], json);
    const document = studyRequestsDocumentSchema.parse(JSON.parse(json.printed()));
    expect(document.items).toHaveLength(2);
  });
  it('says when the gateway refuses, and what is no study', async () => {
    const terminal = aTerminal({});
    const args = ['study', 'request', UID, '--product', 'lung', ...at];
    expect(await runAifictl(args, terminal)).toBe(1);
    expect(terminal.printed()).toMatch(/^! /);
    expect(await runAifictl(['study', 'request', UID, ...at], aTerminal({}))).toBe(2);
    const wrong = ['study', 'request', 'no-uid', '--product', 'lung', ...at];
    expect(await runAifictl(wrong, aTerminal({}))).toBe(2);
  });
});
