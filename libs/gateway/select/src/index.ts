/** Select stage of the gateway: which product asks for which series, before anything leaves. */
export * from './select-stage.js';
