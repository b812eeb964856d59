/** Records of several partitions take turns, and so do their buffers: a new view for each record would cost too much. */
const views = new WeakMap<Uint8Array, DataView>();

/** The same bytes, for reading four at once. */
export function viewOf(bytes: Uint8Array): DataView {
  let view = views.get(bytes);
  if (view === undefined)
    views.set(bytes, (view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  return view;
}
