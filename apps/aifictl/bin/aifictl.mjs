#!/usr/bin/env node
/** aifictl as a command: the compiled program, which `npm run build` makes. */
import '../dist/main.js';
