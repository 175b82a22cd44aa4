import { Fragment } from 'react';

/** The address of an app without its scheme; where it has to wrap, it does so before a dot or the port. */
export function Address({ of }: { of: string }) {
  const parts = of.replace(/^https?:\/\//, '').split(/(?=[.:])/);
  return parts.map((part, i) => <Fragment key={i}>{i > 0 && <wbr />}{part}</Fragment>);
}
