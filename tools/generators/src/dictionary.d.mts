export function dictionaryLines(): string[];
export function dictionaryTable(): string;
