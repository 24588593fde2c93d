/** Pure evaluation of signed routing rules: the same engine at gateway and hub. */
export * from './evaluate-product.js';
