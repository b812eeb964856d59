// Prints the prices of the vega-datasets package as INSERT statements, oldest first, as a feed would bring them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const file = createRequire(import.meta.url).resolve('vega-datasets/data/stocks.csv');
const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
const prices = lines.map((line) => {
  const [symbol, date, price] = line.split(',');
  return { symbol, time: Date.parse(`${date} UTC`), price };
});
prices.sort((a, b) => a.time - b.time || (a.symbol < b.symbol ? -1 : 1));
for (const { symbol, time, price } of prices)
  console.log(`INSERT INTO STOCKS (ROWTIME, SYMBOL, PRICE) VALUES (${time}, '${symbol}', ${price});`);
