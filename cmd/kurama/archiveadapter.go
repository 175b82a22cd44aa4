package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/api"
	"kurama/services/archive"
)

// archiveQuery lets the API use the archive without knowing it.
type archiveQuery struct {
	r   *archive.Reader
	cfg config.Archive // gives the defaults of the limits
}

// List returns an app's sealed files.
func (a archiveQuery) List(_ context.Context, tenant, app string) (api.ArchiveList, error) {
	l, err := a.r.List(tenant, app)
	if err != nil {
		return api.ArchiveList{}, err
	}
	list := api.ArchiveList{From: l.From, To: l.To, Records: int64(l.Records), Bytes: l.Bytes, Removed: int64(l.Removed), Files: make([]api.ArchiveFile, len(l.Files))}
	for i, f := range l.Files {
		list.Files[i] = archiveFile(f)
	}
	return list, nil
}

func archiveFile(f archive.File) api.ArchiveFile {
	return api.ArchiveFile{Name: f.Name, From: f.From, To: f.To, Records: int64(f.Records), Bytes: f.Bytes, SHA256: f.SHA256}
}

// Open readies a download.
func (a archiveQuery) Open(ctx context.Context, r api.ArchiveRange) (api.ArchiveContent, bool, error) {
	c, err := a.r.Open(ctx, archive.Request{Tenant: r.Tenant, App: r.App, From: r.From, To: r.To, Format: archive.Format(r.Format), Tag: r.Tag})
	if err != nil {
		return nil, archive.Changed(err), err
	}
	return c, false, nil
}

// Verify compares an app's files with what is noted of them. What is wrong is
// told file by file, and is no error here.
func (a archiveQuery) Verify(ctx context.Context, tenant, app string, fn func(api.ArchiveCheck) error) error {
	var broken error
	err := a.r.Verify(ctx, tenant, app, func(f archive.File, fault error) error {
		check := api.ArchiveCheck{ArchiveFile: archiveFile(f), OK: fault == nil}
		if fault != nil {
			check.Says = fault.Error()
		}
		broken = fn(check)
		return broken
	})
	if broken != nil || ctx.Err() != nil {
		return errors.Join(broken, ctx.Err())
	}
	if _, invalid := errors.AsType[*paas.Invalid](err); invalid {
		return err
	}
	return nil
}

// State returns what is kept of a tenant's archive and what there is.
func (a archiveQuery) State(_ context.Context, tenant string) (state api.ArchiveState, err error) {
	keep, own, err := a.r.Limits(tenant, a.cfg)
	if err != nil {
		return state, err
	}
	state.Limits, state.Own = api.ArchiveLimits{Retention: keep.Seconds, MaxBytes: keep.Max}, own
	use, err := a.r.Usage(tenant)
	if err != nil {
		return state, err
	}
	for _, app := range slices.Sorted(maps.Keys(use)) {
		l := use[app]
		state.Apps = append(state.Apps, api.ArchiveUse{App: app, Files: len(l.Files), Records: int64(l.Records), Bytes: l.Bytes, Removed: int64(l.Removed)})
		state.Bytes += l.Bytes
	}
	return state, nil
}

// SetLimits sets what is kept of a tenant's archive.
func (a archiveQuery) SetLimits(_ context.Context, tenant string, keep *api.ArchiveLimits) error {
	if keep == nil {
		return a.r.SetLimits(tenant, nil)
	}
	return a.r.SetLimits(tenant, &archive.Limits{Seconds: keep.Retention, Max: keep.MaxBytes})
}
