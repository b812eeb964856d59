import { DataError } from '../../common/error.ts';
import { DOUBLE, STRING } from '../../types/sql-type.ts';
import type { ScalarFunction } from '../function.ts';
import { checked, fixed, parameter, scalars } from '../signature.ts';

const RADIUS_KM = 6371;
const RADIUS_MILES = 3959;

const RADII: Readonly<Record<string, number>> = {
  mi: RADIUS_MILES,
  mile: RADIUS_MILES,
  miles: RADIUS_MILES,
  km: RADIUS_KM,
  kilometer: RADIUS_KM,
  kilometers: RADIUS_KM,
  kilometre: RADIUS_KM,
  kilometres: RADIUS_KM,
};

/** As Java did it up to version 8, whose last digits ksqlDB's own cases have. */
const radians = (degrees: number): number => (degrees / 180) * Math.PI;

function radiusIn(unit: string): number {
  const radius = RADII[unit.toLowerCase()];
  if (radius === undefined)
    throw new DataError(`${JSON.stringify(unit)} is not a unit of length (miles or kilometers)`);
  return radius;
}

function checkLatitude(latitude: number): void {
  if (latitude < -90 || latitude > 90)
    throw new DataError(`the latitude ${latitude} is not between -90 and 90`);
}

function checkLongitude(longitude: number): void {
  if (longitude < -180 || longitude > 180)
    throw new DataError(`the longitude ${longitude} is not between -180 and 180`);
}

/** The way along a great circle, by the haversine formula. */
function distance(lat1: number, lon1: number, lat2: number, lon2: number, unit: string | null): number {
  checkLatitude(lat1);
  checkLatitude(lat2);
  checkLongitude(lon1);
  checkLongitude(lon2);
  const radius = unit === null ? RADIUS_KM : radiusIn(unit);
  const deltaLat = radians(lat2 - lat1);
  const deltaLon = radians(lon2 - lon1);
  const haversine =
    Math.sin(deltaLat / 2) ** 2 +
    Math.sin(deltaLon / 2) ** 2 * Math.cos(radians(lat1)) * Math.cos(radians(lat2));
  return 2 * Math.asin(Math.sqrt(haversine)) * radius;
}

const POINTS = ['lat1', 'lon1', 'lat2', 'lon2'].map((name) =>
  checked(parameter(name, DOUBLE, 'degrees'), name.startsWith('lat') ? checkLatitude : checkLongitude),
);

type Degrees = number | null;

function evaluate(
  lat1: Degrees,
  lon1: Degrees,
  lat2: Degrees,
  lon2: Degrees,
  unit: string | null = null,
): Degrees {
  if (lat1 === null || lon1 === null || lat2 === null || lon2 === null) return null;
  return distance(lat1, lon1, lat2, lon2, unit);
}

export const geoFunctions: readonly ScalarFunction[] = scalars('OTHER', [
  {
    name: 'GEO_DISTANCE',
    description: 'The distance of two points on Earth, in kilometers or in the unit given: KM or MILES.',
    examples: [['ROUND(GEO_DISTANCE(37.4439, -122.1663, 51.5257, -0.1122))', '8635']],
    nulls: 'handled',
    signatures: [
      fixed(POINTS, DOUBLE, evaluate),
      fixed([...POINTS, checked(parameter('unit', STRING), radiusIn)], DOUBLE, evaluate),
    ],
  },
]);
