package archive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"kurama/internal/health"
)

// sealTimeout bounds how long a request to seal waits for the stream's end.
const sealTimeout = 10 * time.Second

// errStopped answers requests that a session leaves behind.
var errStopped = errors.New("the archive starts again; ask once more")

// sealRequest asks for everything of one app up to a batch to be sealed.
type sealRequest struct {
	folder string // "" for all apps
	upto   uint64
	done   chan error // buffered
}

// serveSeals answers POST /seal?tenant=T&app=A on the socket: 204 once all that
// was on the stream when the request came is sealed. Without tenant and app it
// is about everything.
func (a *Archive) serveSeals(ctx context.Context) error {
	if err := os.Remove(a.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("taking the archive's socket: %w", err)
	}
	listener, err := net.Listen("unix", a.socket)
	if err != nil {
		return fmt.Errorf("listening for requests to seal: %w", err)
	}
	if err := os.Chmod(a.socket, 0o600); err != nil {
		return errors.Join(fmt.Errorf("protecting the archive's socket: %w", err), listener.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /seal", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), sealTimeout)
		defer cancel()
		if err := a.seal(ctx, r.FormValue("tenant"), r.FormValue("app")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return health.Serve(ctx, listener, mux)
}

// seal waits until everything that is on the stream now is sealed.
func (a *Archive) seal(ctx context.Context, tenant, app string) error {
	state, err := a.deps.Stream.State(ctx)
	if err != nil {
		return fmt.Errorf("asking the stream for its end: %w", err)
	}
	req := &sealRequest{upto: state.Last, done: make(chan error, 1)}
	if tenant != "" || app != "" {
		req.folder = folderOf(tenant, app)
	}
	select {
	case a.seals <- req:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the archive: %w", ctx.Err())
	}
	select {
	case err := <-req.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("waiting for batch %d to be archived: %w", state.Last, ctx.Err())
	}
}

// answer takes new requests and seals for those whose batch was read. It
// returns the requests that have to wait.
func (a *Archive) answer(waiting []*sealRequest, lib *library) ([]*sealRequest, error) {
	for taken := true; taken; {
		select {
		case req := <-a.seals:
			waiting = append(waiting, req)
		default:
			taken = false
		}
	}
	left := waiting[:0]
	for i, req := range waiting {
		if req.upto > lib.consumed {
			left = append(left, req)
			continue
		}
		var only *part
		if s := lib.shelves[req.folder]; s != nil {
			only = s.part
		}
		err := lib.sealWhere(func(p *part) bool { return req.folder == "" || p == only })
		if err != nil {
			return append(left, waiting[i:]...), err
		}
		req.done <- nil
	}
	return left, nil
}

func refuse(waiting []*sealRequest) {
	for _, req := range waiting {
		req.done <- errStopped
	}
}
