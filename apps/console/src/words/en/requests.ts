/** English words of asking for a product by name. */
export const requests = {
  ask: 'Run on this study',
  title: 'Run this product on this study?',
  text:
    'The product is run on this study although it was not chosen by itself. What it is not meant ' +
    'for, and what the patient objects to, stays refused. Your name and the time are recorded.',
  asked: 'Asked for. The answer comes on this page.',
  waits: 'This was asked for already and is not answered yet.',
};
