import { readWholeNumber } from '../../../common/whole-number.ts';

const PORTS = { min: 1, max: 65_535 };

/** `host:port`, with brackets around an address that has colons. */
export function isBroker(broker: string): boolean {
  const port = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):([0-9]+)$/.exec(broker)?.[1];
  return port !== undefined && readWholeNumber(port, PORTS) !== null;
}
