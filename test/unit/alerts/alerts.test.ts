import { describe, expect, it } from 'vitest';
import { runbooks } from '../../../dashboards/alerts/alert.ts';
import { groups } from '../../../dashboards/alerts/files.ts';
import { firesAt, momentsOf } from '../../chart/stories.ts';
import { documentAt } from '../../support/documents.ts';

const alerts = groups.flatMap((group) => group.alerts);
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

  it('have names of their own, which begin with what they are about', () => {
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
    for (const { name, alerts: members } of groups) {
      for (const alert of members) expect(alert.name.toLowerCase()).toMatch(new RegExp(`^${name}[a-z]`));
    }
  });
});

describe.each(byName)('%s', (name, alert) => {
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

  it('asks by selectors that name the job, and says what is wrong in sentences without numbers that change', () => {
    const selectors = [...alert.expr.matchAll(/[a-z0-9_]+\{([^}]*)\}/g)].map(([, matchers]) => matchers);
    expect(selectors.length).toBeGreaterThan(0);
    for (const matchers of selectors) expect(matchers).toMatch(/^job="/);
    for (const text of [alert.summary, alert.description]) {
      expect(text).toMatch(/^[A-Z].*\.$/);
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
