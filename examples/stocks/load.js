// Prints the prices of the vega-datasets package as INSERT statements, oldest first, as a feed would bring them.
import { readFileSync } from 'node:fs';

const file = new URL('../../node_modules/vega-datasets/data/stocks.csv', import.meta.url);
const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
const prices = lines.map((line) => {
  const [symbol, date, price] = line.split(',');
  return { symbol, time: Date.parse(`${date} UTC`), price };
});
prices.sort((a, b) => a.time - b.time || (a.symbol < b.symbol ? -1 : 1));
for (const { symbol, time, price } of prices)
  console.log(`INSERT INTO STOCKS (ROWTIME, SYMBOL, PRICE) VALUES (${time}, '${symbol}', ${price});`);
