/** A sentence of the platform's, in which `code` stands between backticks. All of it stays text. */
export function Sentence({ children }: { children: string | null | undefined }) {
  if (!children) return null;
  const parts = children.split(/`([^`\n]+)`/);
  return parts.map((part, i) => (i % 2 ? <code key={i} className="said-code">{part}</code> : part));
}
