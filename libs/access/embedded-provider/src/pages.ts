/**
 * The provider's own pages: sign-in, step-up, device code, sign-out, error.
 * Decides their HTML. Invariants: every value is escaped; no script, no inline style; each page has
 * one heading of level 1, labels on its fields and says that it is a demonstration.
 * Source: WCAG 2.2 AA; OWASP ASVS 5.0 V1 (output encoding).
 */
import type { DemoAccount } from './demo-account.js';
import { STYLE_PATH } from './page-style.js';
import { ROLE_NAMES, TEXTS, type Language } from './texts.js';

/** HTML that is safe to embed: only `html` makes it. */
class Html {
  constructor(readonly text: string) {}
}
type Piece = string | Html | readonly Html[] | undefined | false;

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' },
};
const textOf = (piece: Piece): string => {
  if (piece === undefined || piece === false) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'string') return piece.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '');
  return piece.map(textOf).join('');
};
const html = (strings: TemplateStringsArray, ...pieces: Piece[]): Html =>
  new Html(strings.map((part, index) => part + textOf(pieces[index])).join(''));

function page(language: Language, title: string, content: Html): string {
  const texts = TEXTS[language];
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · ${texts.platform}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${STYLE_PATH}" />
      </head>
      <body>
        <header class="note">${texts.banner}</header>
        <main>${content}</main>
      </body>
    </html> `.text;
}

const card = (language: Language, title: string, content: Html): Html =>
  html`<div class="card">
    <p class="platform">${TEXTS[language].platform}</p>
    <h1>${title}</h1>
    ${content}
  </div>`;
const alert = (words: string | undefined): Html | undefined =>
  words === undefined ? undefined : html`<p class="alert" role="alert">${words}</p>`;

export interface LoginPage {
  readonly language: Language;
  /** Where the form goes; a chosen account is a query of the same address. */
  readonly action: string;
  /** sign-in: anybody; again: this person; step-up: this person, for a dangerous act. */
  readonly kind: 'sign-in' | 'again' | 'step-up';
  readonly userName: string;
  readonly isRefused: boolean;
  readonly accounts: readonly DemoAccount[];
}

export function loginPage(view: LoginPage): string {
  const { language, kind, userName } = view;
  const texts = TEXTS[language];
  const title = { 'sign-in': texts.signIn, again: texts.again, 'step-up': texts.stepUp }[kind];
  const isFixed = kind !== 'sign-in';
  const form = html`${alert(view.isRefused ? texts.refused : undefined)}
    ${kind === 'step-up' && html`<p>${texts.stepUpWhy}</p>`}
    <form id="login" method="post" action="${view.action}">
      <label for="name">${texts.userName}</label>
      <input
        id="name"
        name="name"
        value="${userName}"
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
        maxlength="128"
        required${isFixed && html` readonly`}${userName === '' && html` autofocus`}
      />
      <label for="password">${texts.password}</label>
      <input
        id="password"
        name="password"
        type="password"
        autocomplete="current-password"
        maxlength="128"
        required${userName !== '' && html` autofocus`}
      />
    </form>
    <form id="cancel" method="post" action="${view.action}/cancel"></form>
    <div class="actions">
      <button type="submit" form="login">${title}</button>
      <button type="submit" form="cancel" class="quiet">${texts.cancel}</button>
    </div>`;
  return page(language, title, html`${card(language, title, form)}${accountList(view)}`);
}

function accountList({ language, action, kind, userName, accounts }: LoginPage): Html {
  const texts = TEXTS[language];
  const [password = ''] = new Set(accounts.map((account) => account.password));
  if (kind !== 'sign-in') {
    return html`<p class="card">${texts.passwordIs} <code>${password}</code></p>`;
  }
  const link = ({ name, userName: own, roles }: DemoAccount): Html =>
    html`<li>
      <a
        href="${action}?account=${encodeURIComponent(own)}"
        ${own === userName && html` aria-current="true"`}
        ><strong>${name}</strong>
        <span>${roles.map((role) => ROLE_NAMES[language][role]).join(', ')}</span>
        <span>${own}</span></a
      >
    </li>`;
  return html`<section class="card" aria-labelledby="accounts">
    <h2 id="accounts">${texts.accounts}</h2>
    <p>${texts.accountsHelp} ${texts.passwordIs} <code>${password}</code></p>
    ${[...new Set(accounts.map(placeOf))].map(
      (place) =>
        html`<h3>${place === '' ? texts.national : `${texts.site} ${place}`}</h3>
          <ul class="people">
            ${accounts.filter((account) => placeOf(account) === place).map(link)}
          </ul>`,
    )}
  </section>`;
}
const placeOf = ({ siteIds }: DemoAccount): string => siteIds.join(', ');

/** A page with a few words and perhaps a form, whose buttons each send a value. */
export interface FormPage {
  readonly language: Language;
  readonly title: string;
  readonly words?: string;
  readonly alert?: string | undefined;
  /** Shown large: a code to compare. */
  readonly code?: string;
  readonly form?: {
    readonly action: string;
    readonly hidden: Readonly<Record<string, string>>;
    readonly field?: { readonly name: string; readonly label: string; readonly value: string };
    readonly buttons: readonly {
      readonly label: string;
      readonly name?: string;
      readonly isQuiet?: boolean;
    }[];
  };
}

export function formPage(view: FormPage): string {
  const { language, title, words, code, form } = view;
  const content = html`${alert(view.alert)}${words !== undefined && html`<p>${words}</p>`}
  ${code !== undefined && html`<code class="large">${code}</code>`} ${form && formOf(form)}`;
  return page(language, title, card(language, title, content));
}

function formOf({ action, hidden, field, buttons }: NonNullable<FormPage['form']>): Html {
  const hiddenFields = Object.entries(hidden).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  );
  const own =
    field &&
    html`<label for="${field.name}">${field.label}</label>
      <input
        id="${field.name}"
        name="${field.name}"
        class="code"
        value="${field.value}"
        autocomplete="off"
        autocapitalize="characters"
        spellcheck="false"
        maxlength="32"
        required
        autofocus
      />`;
  const actions = buttons.map(
    ({ label, name, isQuiet }) =>
      html`<button
        type="submit"
        ${name !== undefined && html` name="${name}" value="yes"`}${
          isQuiet && html` class="quiet" formnovalidate`
        }
      >
        ${label}
      </button>`,
  );
  return html`<form method="post" action="${action}">
    ${hiddenFields}${own}
    <div class="actions">${actions}</div>
  </form>`;
}
