/** dcmjs ships no types; only its data dictionary is used here. */
declare module 'dcmjs' {
  const dcmjs: { data: { DicomMetaDictionary: { nameMap: Record<string, unknown> } } };
  export default dcmjs;
}
