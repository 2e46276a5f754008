import { describe, expect, it } from 'vitest';
import { runbooks } from '../../../dashboards/alerts/alert.ts';
import { groups } from '../../../dashboards/alerts/files.ts';
import { firesAt, momentsOf } from '../../chart/stories.ts';
import { documentAt } from '../../support/documents.ts';

const alerts = groups.flatMap((group) => group.alerts);
/** Fires whatever happens. */
const always = 'Watchdog';
const byName = alerts.map((alert) => [alert.name, alert] as const);
const page = documentAt(runbooks);

/** The runbooks, by their heading. */
const sections = new Map(
  page.text
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);

describe('the alerts of the platform', () => {
  it('have a runbook each, in the same order, and there is no other', () => {
    expect([...sections.keys()]).toEqual(alerts.map(({ name }) => name));
  });

  it('have names of their own; those of the operator begin with it', () => {
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
    const { name, alerts: ofOperator = [] } = groups.find((group) => group.name === 'operator') ?? {};
    for (const alert of ofOperator) expect(alert.name.toLowerCase()).toMatch(new RegExp(`^${name}[a-z]`));
  });
});

describe.each(byName.filter(([name]) => name !== always))('%s', (_, alert) => {
  it('is told to fire, to be quiet just before, and to end', () => {
    const whole = alert.stories.filter((story) => {
      const fires = momentsOf(story).map((seconds) => firesAt(story, seconds));
      return fires.includes(true) && fires[0] === false && fires.at(-1) === false;
    });
    expect(whole.length).toBeGreaterThan(0);
  });

  it('is told to stay quiet in something that is as it should be, or soon over', () => {
    expect(alert.stories.some(({ fires }) => fires === undefined)).toBe(true);
  });
});

describe.each(byName)('%s', (name, alert) => {
  it('asks by selectors that name the job, and says what is wrong in sentences without numbers that change', () => {
    const selectors = [...alert.expr.matchAll(/([A-Za-z0-9_:]+)\{([^}]*)\}/g)];
    // What Prometheus makes itself, by rules or of alerts, has no job.
    const scraped = selectors.filter(([, metric = '']) => !/:|^ALERTS$/.test(metric));
    for (const [, , matchers] of scraped) expect(matchers).toMatch(/^job!?="/);
    for (const text of [alert.summary, alert.description]) {
      expect(text).toMatch(/^([A-Z]|\{\{ \$labels\.service \}\} ).*\.$/);
      // What changes each time would be another alert each time.
      expect(text).not.toContain('$value');
    }
  });

  it('has a runbook that says what it means, what people notice, what to type, and what ends it', () => {
    const section = sections.get(name) ?? '';
    expect(section).toContain(`\n\`${alert.severity}\`. **Means.**`);
    expect(section).toMatch(/\*\*Means\.\*\*.*\*\*Noticed\.\*\*.*```sh e2e\n.*```.*\*\*Ends\.\*\*/s);
    const [, commands = ''] = /```sh e2e\n(.*?)```/s.exec(section) ?? [];
    expect(commands.split('\n').filter((line) => /^\S/.test(line))).toHaveLength(3);
  });
});
