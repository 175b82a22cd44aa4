package auth_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"kurama/internal/config"
	"kurama/paas/auth"
)

func TestAProviderThatIsAwayIsAskedOnce(t *testing.T) {
	var asked atomic.Int32
	reached, answer := make(chan struct{}, 100), make(chan struct{})
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		reached <- struct{}{}
		<-answer
		http.Error(w, "internal address 10.1.2.3", http.StatusBadGateway)
	}))
	defer away.Close()
	p := auth.New(config.Default().Console, nil).Provider(config.OIDC{Issuer: away.URL, Name: "School"}, slog.New(slog.DiscardHandler))
	start := func() {
		_, err := p.Start(httptest.NewRecorder(), request(t), "")
		wantInvalid(t, err, "School cannot be reached. Sign in with your password")
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(start)
	}
	<-reached
	close(answer)
	wg.Wait()
	start()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}
