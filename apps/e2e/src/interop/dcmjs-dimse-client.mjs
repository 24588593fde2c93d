/**
 * A sender of dcmjs-dimse, as a process of its own: the library whose receiving side lost bytes
 * (F1) is also a sender to be reckoned with.
 * Decides nothing: one association for each file, in the file's own transfer syntax. Files that the
 * library cannot read are passed over; its log stays off.
 * Usage: node dcmjs-dimse-client.mjs HOST PORT CALLED CALLING FILE ...
 */
import dcmjsDimse from 'dcmjs-dimse';

const [host, port, called, calling, ...files] = process.argv.slice(2);
dcmjsDimse.log.disableAll(false);

function requestFor(file) {
  try {
    return new dcmjsDimse.requests.CStoreRequest(file);
  } catch {
    return undefined;
  }
}

for (const request of files.map(requestFor)) {
  if (!request) continue;
  const client = new dcmjsDimse.Client();
  client.addRequest(request);
  await new Promise((resolve) => {
    client.on('networkError', resolve);
    client.on('closed', resolve);
    client.send(host, Number(port), calling, called);
  });
}
