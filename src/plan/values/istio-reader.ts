// Values of chart istio-reader (Istio 1.24 and later): types the plan, and becomes the chart's values.schema.json.
import * as z from 'zod';
import { HelmGlobal, ObjectName } from './common.ts';

export const IstioReaderValues = z
  .strictObject({
    global: HelmGlobal,
    serviceAccount: ObjectName.default('isthmus-reader').describe(
      'ServiceAccount whose token lets the istiod of other clusters read this one',
    ),
    token: z.boolean().default(true).describe('Keep a token Secret for it, from which the remote secrets are made'),
  })
  .readonly();

export type IstioReaderValues = z.infer<typeof IstioReaderValues>;
