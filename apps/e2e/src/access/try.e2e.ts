import { chromium } from 'playwright-core';
import { it } from '@jest/globals';
import { Stack } from '@aifi/demo';
import { moveToKeycloak } from './keycloak.js';
import { keycloakPages, embeddedPages } from './provider-pages.js';
import { Visitor } from './visitor.js';
import { originsOf, person } from './world.js';

it('tries', async () => {
  const stack = await Stack.start({ siteIds: ['site-a'], environment: process.env, quietMs: 300, simulator: true });
  try {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--host-resolver-rules=MAP login.ziekenhuis.example 127.0.0.1,MAP hub.aifi.example 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE localhost'] });
  const v = await Visitor.arrive({ browser, origins: originsOf(stack) });
  const u = stack.parts.hubServer.url;
  await v.page.goto(`${u}/auth/sign-in?returnTo=/api/v1/session`);
  await v.page.screenshot({ path: '/tmp/emb1.png' });
  await embeddedPages.signIn(v.page, person('central-operator'));
  await v.page.waitForURL((a) => a.origin === u);
  console.log(v.page.url(), await v.page.innerText('body'), v.takeFaults());
  await v.page.goto(`${u}/auth/step-up?returnTo=/api/v1/session`);
  await v.page.screenshot({ path: '/tmp/emb2.png' });
  await embeddedPages.stepUp(v.page, person('central-operator'));
  await v.page.waitForURL((a) => a.origin === u);
  console.log(v.page.url(), await v.page.innerText('body'), v.takeFaults());
  await v.leave();
  let t = Date.now();
  const rig = await moveToKeycloak(stack);
  console.log('keycloak', Date.now() - t);
  const w = await Visitor.arrive({ browser, origins: rig.origins, more: { ignoreHTTPSErrors: true } });
  t = Date.now();
  await w.page.goto(`${rig.hubUrl}/auth/sign-in?returnTo=/api/v1/session`);
  await w.page.screenshot({ path: '/tmp/kc1.png' });
  console.log(await w.page.locator('body').ariaSnapshot());
  await keycloakPages.signIn(w.page, { userName: 'central-operator', password: 'test-account-central-operator' });
  await w.page.waitForTimeout(2000);
  await w.page.screenshot({ path: '/tmp/kc2.png' });
  console.log(w.page.url(), await w.page.innerText('body'), w.takeFaults(), Date.now() - t);
  await w.page.goto(`${rig.hubUrl}/auth/step-up?returnTo=/api/v1/session`);
  await w.page.waitForTimeout(1000);
  await w.page.screenshot({ path: '/tmp/kc3.png' });
  console.log(await w.page.locator('body').ariaSnapshot());
  await keycloakPages.stepUp(w.page, { userName: 'central-operator', password: 'test-account-central-operator' });
  await w.page.waitForTimeout(2000);
  console.log(w.page.url(), await w.page.innerText('body'), w.takeFaults());
  t = Date.now();
  await rig.setEnabled('central-operator', false);
  for (let i = 0; i < 40; i++) {
    const r = await w.context.request.get(`${rig.hubUrl}/api/v1/session`);
    if (!r.ok()) { console.log('out', r.status(), Date.now() - t); break; }
    await new Promise((res) => setTimeout(res, 2000));
  }
  await browser.close();
  } catch (e) { for (const p of stack.processes) console.log(p.name, p.tail()); throw e; }
  finally { await stack.stop(); }
}, 400000);
