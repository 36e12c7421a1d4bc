import {
  anyInteger,
  anyText,
  type DoubleShape,
  oneOf,
  type StringShape,
  type StructureShape,
  structure,
} from '../shape.ts';
import { environmentName } from './members.ts';

const double: DoubleShape = { kind: 'double' };

const sizes = ['Bytes', 'Kilobytes', 'Megabytes', 'Gigabytes', 'Terabytes'];
const bits = ['Bits', 'Kilobits', 'Megabits', 'Gigabits', 'Terabits'];
const perSecond = (unit: string): string => `${unit}/Second`;

const unit: StringShape = oneOf(
  ...['Seconds', 'Microseconds', 'Milliseconds', ...sizes, ...bits, 'Percent', 'Count'],
  ...[...sizes, ...bits].map(perSecond),
  ...['Count/Second', 'None'],
);

const metricDatum = structure(
  {
    MetricName: anyText,
    Timestamp: { kind: 'timestamp' },
    Dimensions: {
      kind: 'list',
      member: structure({ Name: anyText, Value: anyText }, ['Name', 'Value']),
    },
    Value: double,
    Unit: unit,
    StatisticValues: structure({ SampleCount: anyInteger, Sum: double, Minimum: double, Maximum: double }),
  },
  ['MetricName', 'Timestamp'],
);

export const publishMetricsInput: StructureShape = structure(
  { EnvironmentName: environmentName, MetricData: { kind: 'list', member: metricDatum } },
  ['EnvironmentName', 'MetricData'],
);
