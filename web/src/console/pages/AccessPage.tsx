import { useRoute, to } from '../route';
import { useSession } from '../session';
import { ArchiveLimits } from '../access/ArchiveLimits';
import { AuditTab } from '../access/AuditTab';
import { QuotaTab } from '../access/QuotaTab';
import { Tenants } from '../access/Tenants';
import { Tokens } from '../access/Tokens';
import { Users } from '../access/Users';

/** Who may do what: users and tokens of a tenant; for operators the tenants too. */
export default function AccessPage() {
  const session = useSession();
  const { parts, query } = useRoute();
  const tab = parts[1] ?? 'users';
  const tabs = [['users', 'Members'], ['tokens', 'Tokens'], ['quota', 'Quota and use'], ['archive', 'Archive'], ['audit', 'Audit log'], ...(session.role === 'operator' ? [['tenants', 'Tenants']] : [])] as const;
  return (
    <div className="page">
      <div className="page-head"><h1>Access</h1><span className="dim">of tenant {query.get('tenant') || session.tenant}</span></div>
      <div className="tabs"><nav aria-label="Access">{tabs.map(([id, name]) => <a key={id} className="tab" href={to(['access', id!])} aria-current={tab === id ? 'page' : undefined}>{name}</a>)}</nav></div>
      {tab === 'tokens' ? <Tokens /> : tab === 'tenants' ? <Tenants /> : tab === 'quota' ? <QuotaTab /> : tab === 'archive' ? <ArchiveLimits /> : tab === 'audit' ? <AuditTab /> : <Users />}
    </div>
  );
}
