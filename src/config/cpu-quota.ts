import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * How many CPUs the control groups let this process use, for example by the limit of a container; Infinity without a limit.
 * Node does not know of it: up to Node 22, `os.availableParallelism` looks at affinity only.
 * @param root where `/proc` and `/sys` are
 */
export function cpuQuota(root = '/'): number {
  const groups = (text(join(root, 'proc/self/cgroup')) ?? '').split('\n').map((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return { controllers: controllers.split(','), path: path.join(':') };
  });
  const quotas = groups.flatMap(({ controllers, path }) => {
    // of version 2 there is one, without a name
    if (controllers[0] === '') return upwards(path).map((at) => ofVersion2(join(root, 'sys/fs/cgroup', at)));
    if (!controllers.includes('cpu')) return [];
    const mounts = ['cpu', 'cpu,cpuacct'].map((mount) => join(root, 'sys/fs/cgroup', mount));
    return mounts.flatMap((mount) => upwards(path).map((at) => ofVersion1(join(mount, at))));
  });
  return Math.min(Infinity, ...quotas);
}

/** The limits of all groups above count too. A container does not see those, and its own group is at the top. */
function upwards(path: string): string[] {
  const clean = join('/', path);
  return clean === '/' ? ['/'] : [clean, ...upwards(dirname(clean))];
}

/** `max 100000` or `150000 100000`: microseconds of CPU in so many of time. */
function ofVersion2(folder: string): number {
  const [quota, period] = (text(join(folder, 'cpu.max')) ?? '').split(' ');
  return share(Number(quota), Number(period));
}

/** The quota is -1 where there is none. */
function ofVersion1(folder: string): number {
  const [quota, period] = ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((file) => text(join(folder, file)));
  return share(Number(quota), Number(period));
}

function share(quota: number, period: number): number {
  return quota > 0 && period > 0 ? quota / period : Infinity;
}

function text(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
