// Chart istio-remote: the common tests of a chart, and how it treats names, addresses and what istiod relies on.
import { IstioRemoteValues } from '../../src/plan/values/istio-remote.ts';
import { describeChart } from '../helpers/chart.ts';

describeChart({ name: 'istio-remote', schema: IstioRemoteValues, namespace: 'istio-system' });
