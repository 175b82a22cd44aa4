import { describe, expect, it } from 'vitest';
import type { Pipeline, PipelineFlow } from '../../api/schema';
import { draw } from './draw';
import { addBranch, drop, dropBranch, idOf, incoming, rates, setBranch, setReceiver, thingOf, turn, withStage } from './model';

describe('a pipeline', () => {
  it('is changed without a trace of what was taken back', () => {
    let p: Pipeline = {};
    p = addBranch(p, 'persist', { level: 'INFO' });
    p = addBranch(p, 'persist', { sample: 0.1 });
    p = setBranch(p, 'persist', 0, { level: '', route: '/pay', when: '' });
    expect(p).toEqual({ persist: { take: [{ route: '/pay' }, { sample: 0.1 }] } });
    p = turn(p, 'profile', false);
    p = dropBranch(dropBranch(p, 'persist', 0), 'persist', 0);
    expect(p).toEqual({ profile: { off: true } });
    expect(turn(p, 'profile', true)).toEqual({});
  });
  it('keeps the retention of a service that is turned off, and lets its branches go', () => {
    const p = withStage({}, 'archive', { take: [{ level: 'ERROR' }], retention_days: 30 });
    expect(turn(p, 'archive', false)).toEqual({ archive: { off: true, retention_days: 30 } });
  });
  it('turns a service on by a branch that is put before it', () => {
    expect(addBranch({ alert: { off: true } }, 'alert', { level: 'ERROR' })).toEqual({ alert: { take: [{ level: 'ERROR' }] } });
  });
  it('loses what a node stands for, whichever that is', () => {
    const p = setReceiver(setReceiver({}, 0, { to: 'a@b.c', when: 'cpu > 90' }), 1, { to: 'd@e.f', when: 'oom()' });
    expect(drop(p, { kind: 'receiver', index: 0 }).receivers).toEqual([{ to: 'd@e.f', when: 'oom()' }]);
    expect(drop(p, { kind: 'service', service: 'persist' }).persist).toEqual({ off: true });
    expect(drop(p, { kind: 'part', name: 'stream' })).toBe(p);
  });
  it('names each node so that it is known again', () => {
    for (const t of [{ kind: 'part', name: 'stream' }, { kind: 'service', service: 'alert' }, { kind: 'branch', service: 'persist', index: 3 }, { kind: 'receiver', index: 0 }] as const) {
      expect(thingOf(idOf(t))).toEqual(t);
    }
    expect(thingOf('service:nothing:')).toBeNull();
  });
});

const look = (at: number, taken: number, left: number): PipelineFlow => ({ at: new Date(at).toISOString(), parts: [{ name: 'persist', ready: true, taken, left, lag: 0, errors: 0 }] });

describe('the figures on the arrows', () => {
  it('are what came between two looks, and unknown where the count began anew', () => {
    const r = rates(look(0, 100, 10), look(2000, 140, 30));
    expect(r.persist).toEqual({ taken: 20, left: 10 });
    expect(incoming(r)).toBe(30);
    expect(rates(look(0, 100, 10), look(2000, 3, 30)).persist).toEqual({ taken: null, left: 10 });
    expect(incoming(rates(null, look(0, 1, 1)))).toBeNull();
  });
  it('stand on the way that records take: to a branch what comes, from it what passes', () => {
    const { nodes, edges } = draw({ persist: { take: [{ level: 'INFO' }] }, profile: { off: true } }, look(0, 0, 0), look(1000, 4, 6), '1 replica', '');
    const label = (id: string) => edges.find((e) => e.id === id)?.label;
    expect(label('part:stream:>branch:persist:0')).toBe('10/s');
    expect(label('branch:persist:0>service:persist:')).toBe('4/s');
    expect(edges.some((e) => e.target === 'service:profile:')).toBe(false);
    expect(nodes.find((n) => n.id === 'service:profile:')?.data.says).toEqual(['Off: takes nothing']);
  });
  it('stand in the boxes on a phone, where these are below one another and none is wider than the window', () => {
    const p: Pipeline = { persist: { take: [{ level: 'INFO' }, { sample: 0.5 }] }, receivers: [{ to: 'a@b.c', when: 'cpu > 90' }] };
    const { nodes, height } = draw(p, look(0, 0, 0), look(1000, 4, 6), '1 replica', '', true);
    const boxes = nodes.map((n) => ({ id: n.id, top: n.position.y, bottom: n.position.y + n.height! })).sort((a, b) => a.top - b.top);
    boxes.slice(1).forEach((box, i) => expect(box.top, box.id).toBeGreaterThan(boxes[i]!.bottom));
    expect(Math.max(...nodes.map((n) => n.position.x + n.width!))).toBeLessThan(340);
    expect(boxes.at(-1)!.bottom).toBe(height);
    expect(nodes.find((n) => n.id === 'service:persist:')?.data.rate).toBe('4/s');
  });
});
