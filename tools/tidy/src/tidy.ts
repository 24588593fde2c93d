/**
 * Tidy: the rules of the house that no linter has, as one pure function over files.
 * Decides file and function length, banned names, header docstrings, line length, stray notes.
 * Invariant: tables (`*.table.ts`) and generated code are exempt from lengths, from nothing else.
 * Source: docs/adr/0010-tidy.md; conventions 2.
 */
import ts from 'typescript';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const LINE_COLUMNS_MAX = 100;
const BANNED_NAMES = /(^|\/)(utils?|helpers?|types|common|misc)\.tsx?$/;
// Imports, addresses and the titles of tests are one piece.
const UNBREAKABLE = /(https?:|import |from '|^\s*(it|describe)\()/;
const EXEMPT = /(\.table\.ts$|\/generated\/)/;
const TEST = /\.(spec|contract|e2e)\.tsx?$/;
// A note to self needs the number of an issue: TODO(#12).
const STRAY_NOTE = new RegExp(
  `\\b(${['TO', 'DO'].join('')}|FIX${'ME'}|XX${'X'})\\b(?!\\(#\\d+\\))`,
);
// Absolute folders of one machine; spelled so that this line is not one of them.
const MACHINE_PATH = new RegExp(`['"\`\\s(](/w${'ork'}/|/ro${'ot'}/|/ho${'me'}/\\w)`);

export interface TidyProblem {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** Problems of one file; `path` relative to the workspace root with forward slashes. */
export function tidyFile(path: string, text: string): TidyProblem[] {
  const problems: TidyProblem[] = [];
  const report = (line: number, rule: string, message: string): void => {
    problems.push({ path, line, rule, message });
  };
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    if (STRAY_NOTE.test(line)) report(index + 1, 'stray-note', 'a note without issue number');
    if (MACHINE_PATH.test(line)) report(index + 1, 'machine-path', 'a path of one machine');
  });
  if (!/\.(ts|tsx|mjs)$/.test(path) || path.includes('/generated/')) return problems;
  if (BANNED_NAMES.test(path)) report(1, 'banned-name', 'a name that says nothing');
  if (!/^(#!.*\n)?\/\*\*/.test(text)) report(1, 'header', 'no header docstring');
  if (EXEMPT.test(path)) return problems;
  if (lines.length - 1 > FILE_LINES_MAX) {
    report(FILE_LINES_MAX, 'file-length', `${lines.length - 1} lines, at most ${FILE_LINES_MAX}`);
  }
  lines.forEach((line, index) => {
    if (line.length > LINE_COLUMNS_MAX && !UNBREAKABLE.test(line)) {
      report(index + 1, 'line-length', `${line.length} columns`);
    }
  });
  // A describe block of a test is a list of tests, not a function that somebody must hold in mind.
  if (!TEST.test(path)) problems.push(...longFunctions(path, text));
  return problems;
}

function longFunctions(path: string, text: string): TidyProblem[] {
  const problems: TidyProblem[] = [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const first = source.getLineAndCharacterOfPosition(node.getStart()).line;
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
      const length = last - first + 1;
      if (length > FUNCTION_LINES_MAX) {
        const message = `${length} lines, at most ${FUNCTION_LINES_MAX}`;
        problems.push({ path, line: first + 1, rule: 'function-length', message });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}
