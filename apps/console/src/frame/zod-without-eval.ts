/**
 * Tells zod not to compile: the page's policy forbids eval, and even its probe would be reported.
 * Invariant: imported before the first contract. Source: CSP of security specification 7.
 */
import { z } from 'zod';

z.config({ jitless: true });
