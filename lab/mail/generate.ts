/** Plays a scenario with a real mail server, and gives back what it wrote together with the truth. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dice } from '../dice.js';
import { HOSTNAME, type MailServer, SETTINGS, type Settings } from './daemon.js';
import { exim } from './exim.js';
import { type Injected, letters, listening, type Mailing, post } from './mailing.js';
import { postfix } from './postfix.js';
import { PROVIDERS, type Provider, type ProviderName, providerOf } from './providers.js';
import { type Attempt, Receiver } from './receiver.js';
import { breakDomains, startResolver } from './resolver.js';
import { type Plan, SCENARIOS, type ScenarioName } from './scenarios.js';
import { World } from './world.js';

const DAEMONS = { exim, postfix } satisfies Record<string, MailServer>;
export type DaemonName = keyof typeof DAEMONS;
export const DAEMON_NAMES = Object.keys(DAEMONS) as DaemonName[];

export interface Options {
  scenario: ScenarioName;
  daemon: DaemonName;
  /** Who writes to whom, and what is in the replies. The clock is the real one: no two runs are alike to the byte. */
  seed: number;
  /** Fewer messages in less time, for tests. */
  mailing?: Partial<Mailing>;
}

/** A recipient's way, told by the injector and the receiver; the log is not asked. Times are ISO 8601 UTC. */
export interface Delivery {
  messageId: string;
  queueId?: string;
  from: string;
  to: string;
  provider: ProviderName;
  injected: string;
  attempts: { at: string; host: string; address: string; stage: string; verdict: string; reply: string }[];
  /** When the receiver said 250. */
  accepted?: string;
  /** When it said 5yz. */
  rejected?: string;
  /** From injection to acceptance. */
  seconds?: number;
}

export interface Truth {
  investigation: 'mail-late';
  scenario: ScenarioName;
  daemon: DaemonName;
  seed: number;
  summary: string;
  culprit: string | null;
  /** It costs so little that it is as right to accuse nobody. */
  mild: boolean;
  also: readonly { culprit: string; provider: ProviderName }[];
  affected: {
    provider: ProviderName;
    hosts: string[];
    addresses: string[];
    domains: readonly string[];
  } | null;
  reply: string | null;
  settings: Settings;
  timeline: { at: string; event: string }[];
  messages: Injected[];
  deliveries: Delivery[];
  /** Connections that ended before any recipient was named. */
  connections: Attempt[];
  observed: {
    messages: number;
    recipients: number;
    accepted: number;
    rejected: number;
    deferrals: number;
    outstanding: number;
    stillQueued: number;
  };
}

const MAILING: Mailing = { messages: 90, seconds: 22, newsletter: 0, nobody: 0 };
/** After the last message, at most. */
const PATIENCE = 45;

/**
 * Takes under a minute and a half. Needs root and namespaces (`whyNoWorld` says whether they are there); throws with
 * the reason where they are not, or where the mail server does not start.
 */
export async function generate(options: Options): Promise<{ truth: Truth; files: Map<string, string> }> {
  const { scenario, seed } = options;
  const dice = new Dice(`mail ${scenario} ${seed}`);
  const plan: Plan = SCENARIOS[scenario]({ seed, daemon: options.daemon });
  const daemon: MailServer = DAEMONS[options.daemon];
  const settings: Settings = { ...SETTINGS, log: seed % 2 === 1 ? 'debian' : 'full', ...plan.settings };
  const mailing: Mailing = { ...MAILING, ...plan.mailing, ...options.mailing };

  const world = await World.open(HOSTNAME, join(daemon.software(), 'usr'));
  let receiver: Receiver | undefined;
  try {
    receiver = await Receiver.open(world, plan.script, dice.fork('receiver'));
    await startResolver(world, HOSTNAME, []);
    await daemon.start(world, settings);
    await listening(world);

    const timeline: Truth['timeline'] = [];
    const happens = (event: string) => timeline.push({ at: new Date().toISOString(), event });
    happens('start');
    receiver.begin();
    const faults = play(world, plan, happens);
    const during = snapshot(world, daemon, mailing.seconds * 0.75, happens);
    const messages = await post(world, letters(mailing, dice.fork('letters')), dice.fork('subjects'));
    happens('the last message is handed over');
    const files = await during;
    await faults;
    await settled(world, daemon, plan);
    happens('collect');

    const stillQueued = await daemon.queued(world);
    for (const [name, content] of await daemon.state(world)) files.set(name, content);
    for (const [name, content] of await daemon.collect(world)) files.set(name, content);
    const deliveries = follow(messages, receiver.attempts);
    const truth: Truth = {
      investigation: 'mail-late',
      scenario,
      daemon: options.daemon,
      seed,
      summary: plan.summary,
      culprit: plan.culprit ?? null,
      mild: plan.mild ?? false,
      also: plan.also ?? [],
      affected: plan.provider ? affected(plan.provider) : null,
      reply: plan.reply ?? null,
      settings,
      timeline,
      messages,
      deliveries,
      connections: receiver.attempts.filter((attempt) => attempt.to === undefined),
      observed: {
        messages: messages.length,
        recipients: deliveries.length,
        accepted: deliveries.filter((d) => d.accepted).length,
        rejected: deliveries.filter((d) => d.rejected).length,
        deferrals: receiver.attempts.filter((a) => a.to !== undefined && a.verdict === 'deferred').length,
        outstanding: deliveries.filter((d) => !d.accepted && !d.rejected).length,
        stillQueued,
      },
    };
    return { truth, files };
  } finally {
    receiver?.close();
    await world.close();
  }
}

/** The faults that are not the receiver's, each at its time. */
async function play(world: World, plan: Plan, happens: (event: string) => void): Promise<void> {
  const { from = 0, until } = plan.fault ?? {};
  if (!plan.fault) return;
  await sleep(from * 1000);
  if (plan.broken) await breakDomains(world, HOSTNAME, plan.broken);
  happens('the fault begins');
  if (until === undefined) return;
  await sleep((until - from) * 1000);
  if (plan.broken) await breakDomains(world, HOSTNAME, []);
  happens('the fault ends');
}

/** What the administrator saw while it happened: the queue at that second. */
async function snapshot(
  world: World,
  daemon: MailServer,
  second: number,
  happens: (event: string) => void,
): Promise<Map<string, string>> {
  await sleep(second * 1000);
  happens('the files in during/ are made');
  const state = await daemon.state(world);
  return new Map([...state].map(([name, content]) => [`during/${name}`, content]));
}

async function settled(world: World, daemon: MailServer, plan: Plan): Promise<void> {
  const end = Date.now() + PATIENCE * 1000;
  let [last, since] = [-1, Date.now()];
  while (Date.now() < end) {
    const left = await daemon.queued(world);
    if (left === 0) return;
    if (left !== last) [last, since] = [left, Date.now()];
    if (plan.undeliverable && Date.now() - since > 10_000) return;
    await sleep(1000);
  }
}

function affected(provider: ProviderName): Truth['affected'] {
  const { hosts, domains }: Provider = PROVIDERS[provider];
  return {
    provider,
    hosts: hosts.map((host) => host.name),
    addresses: hosts.flatMap((host) => host.addresses),
    domains,
  };
}

function follow(messages: readonly Injected[], attempts: readonly Attempt[]): Delivery[] {
  const byRecipient = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    const to = attempt.to ?? '';
    byRecipient.set(to, [...(byRecipient.get(to) ?? []), attempt]);
  }
  return messages.flatMap(({ messageId, queueId, from, to: recipients, at: injected }) =>
    recipients.map((to): Delivery => {
      const tried = byRecipient.get(to) ?? [];
      const accepted = tried.find((attempt) => attempt.verdict === 'accepted')?.at;
      const rejected = tried.find((attempt) => attempt.verdict === 'rejected')?.at;
      return {
        messageId,
        ...(queueId ? { queueId } : {}),
        from,
        to,
        provider: providerOf(to)!,
        injected,
        attempts: tried.map(({ at, host, address, stage, verdict, reply }) => ({
          ...{ at, host, address, stage, verdict, reply },
        })),
        ...(accepted
          ? { accepted, seconds: (Date.parse(accepted) - Date.parse(injected)) / 1000 }
          : rejected
            ? { rejected }
            : {}),
      };
    }),
  );
}
