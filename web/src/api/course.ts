import { useQuery } from '@tanstack/react-query';
import { get, seg } from './client';
import type { Course, CoursePoint } from './schema';

export type CourseWindow = '15m' | '1h' | '24h' | '7d';

/** What an app did, step by step; the steps that are over. */
export function useCourse(app: string, window: CourseWindow) {
  return useQuery({
    queryKey: ['app', app, 'course', window],
    queryFn: ({ signal }) => get<Course>(`/apps/${seg(app)}/course`, { window }, signal),
    refetchInterval: window === '15m' ? 10_000 : 30_000,
    placeholderData: (before) => before,
  });
}

/** The points of each step, those of which nothing is known included. */
export function stepsOf(c: Course): (CoursePoint | undefined)[] {
  const byTime = new Map((c.points ?? []).map((p) => [Date.parse(p.at), p]));
  const steps: (CoursePoint | undefined)[] = [];
  for (let t = Date.parse(c.from); t < Date.parse(c.to); t += c.step * 1000) steps.push(byTime.get(t));
  return steps;
}
