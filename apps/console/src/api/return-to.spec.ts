/** Goal: sign-in leads back to where one was, and nowhere else. Method: good and bad paths. */
import { describe, expect, it } from '@jest/globals';
import { signInAddress } from './return-to.js';

describe(signInAddress.name, () => {
  it('carries the path and query of this page', () => {
    const here = '/approvals?request=8a1f0f0e-6f2c-4c58-8a55-2f8f1c7b1d10';
    const address = new URL(signInAddress('stepUp', here), 'http://localhost');
    expect(address.pathname).toBe('/auth/step-up');
    expect(address.searchParams.get('returnTo')).toBe(here);
  });
  it.each(['//elsewhere.example', '/\\elsewhere.example', 'https://elsewhere.example', ''])(
    'leads to the first page instead of %s',
    (here) => {
      expect(signInAddress('signIn', here)).toBe('/auth/sign-in?returnTo=%2F');
    },
  );
});
