import { describe, expect, it } from 'vitest';
import type { MicroserviceSpec } from '../../../operator/src/api/microservice.generated.ts';
import { absent, type ContentRef, contentMark, contentRefs, unread } from '../../../operator/src/desired/content.ts';
import { microservice } from '../../support/microservice.ts';

const refsOf = (spec: Partial<MicroserviceSpec>) => contentRefs(microservice({ spec }));
const map = (name: string, more: Partial<ContentRef> = {}): ContentRef => ({
  kind: 'ConfigMap',
  name,
  optional: false,
  ...more,
});

describe('contentRefs', () => {
  it('are the keys that variables use, and all keys where all are used', () => {
    const refs = refsOf({
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'a', key: 'k' } } },
        { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'password', optional: true } } },
      ],
      envFrom: [{ configMapRef: { name: 'b' } }],
    });
    expect(refs).toEqual([
      map('a', { keys: ['k'] }),
      map('b'),
      { kind: 'Secret', name: 's', optional: true, keys: ['password'] },
    ]);
  });

  it('are those of volumes, projected ones too, and of containers that come before', () => {
    const refs = refsOf({
      volumes: [
        {
          name: 'v',
          secret: {
            secretName: 'tls',
            items: [
              { key: 'b', path: 'b' },
              { key: 'a', path: 'a' },
            ],
          },
        },
        { name: 'p', projected: { sources: [{ configMap: { name: 'c' } }] } },
      ],
      initContainers: [{ name: 'i', image: 'i:1', envFrom: [{ configMapRef: { name: 'd' } }] }],
    });
    expect(refs).toEqual([map('c'), map('d'), { kind: 'Secret', name: 'tls', optional: false, keys: ['a', 'b'] }]);
  });

  it('are not those that opted out, and each is there once', () => {
    const refs = refsOf({
      envFrom: [{ configMapRef: { name: 'a', onChange: 'None' } }, { configMapRef: { name: 'b' } }],
      volumes: [{ name: 'v', configMap: { name: 'b' } }],
    });
    expect(refs).toEqual([map('b')]);
  });
});

describe('contentMark', () => {
  const ms = (spec: Partial<MicroserviceSpec> = {}) => microservice({ spec });
  const refs = [map('a'), map('b', { optional: true })];

  it('is none where no content is used', () => {
    expect(contentMark(ms(), [], [], 'before')).toBeUndefined();
  });

  it('is another one for other content, of config too, and the same for the same', () => {
    const marks = [
      contentMark(ms(), refs, ['1', '1'], undefined),
      contentMark(ms(), refs, ['2', '1'], undefined),
      contentMark(ms(), refs, ['1', absent], undefined),
      contentMark(ms({ config: { data: { A: '1' } } }), refs, ['1', '1'], undefined),
      contentMark(ms({ config: { data: { A: '2' } } }), refs, ['1', '1'], undefined),
    ];
    expect(new Set(marks).size).toBe(5);
    expect(contentMark(ms(), refs, ['1', '1'], 'before')).toBe(marks[0]);
  });

  it('stays as it was while something could not be read', () => {
    expect(contentMark(ms(), refs, ['1', unread], 'before')).toBe('before');
  });

  it('stays as it was while something that is needed is missing, so that pods that run go on', () => {
    expect(contentMark(ms(), refs, [absent, '1'], 'before')).toBe('before');
  });

  it('does not follow config that opted out', () => {
    expect(contentMark(ms({ config: { data: { A: '1' }, onChange: 'None' } }), [], [], undefined)).toBeUndefined();
  });
});
