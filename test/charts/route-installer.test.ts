// Chart route-installer: the common tests of a chart.
import { RouteInstallerValues } from '../../src/plan/values/route-installer.ts';
import { describeChart } from '../helpers/chart.ts';

describeChart({ name: 'route-installer', schema: RouteInstallerValues, namespace: 'isthmus-system', kubeVersions: ['1.34.0'] });
