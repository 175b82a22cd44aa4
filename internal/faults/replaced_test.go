package faults

import (
	"os"
	"testing"
	"time"
)

// TestAReplacedStreamIsReadFromItsBeginning throws the stream's folder away:
// what it held is lost, what comes after is not. The new stream has passed the
// old one's positions before the sinks ask, or has not.
func TestAReplacedStreamIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	in := install(t, nil).start("before", "quiet", "busy", "down")
	in.verify(in.some(t, "before", 500*time.Millisecond))
	t.Run("while the sinks run", func(t *testing.T) {
		in.use(t)
		in.replaceStream(t)
		in.verify(in.some(t, "quiet", 500*time.Millisecond))
	})
	t.Run("while the sinks stand still and the new stream grows past them", func(t *testing.T) {
		in.use(t)
		sinks := []string{"persist", "archive", "profile", "alert", "dashboard"}
		for _, name := range sinks {
			in.roles[name].freezeOrThaw(true)
		}
		in.replaceStream(t)
		s := in.some(t, "busy", 2*time.Second)
		for _, name := range sinks {
			in.roles[name].freezeOrThaw(false)
		}
		in.verify(s)
	})
	t.Run("while the sinks are down and the new stream grows past them", func(t *testing.T) {
		in.use(t)
		sinks := []string{"persist", "archive", "profile", "alert", "dashboard"}
		for _, name := range sinks {
			in.roles[name].hold()
		}
		in.replaceStream(t)
		s := in.some(t, "down", 4*time.Second)
		for _, name := range sinks {
			in.roles[name].release()
		}
		in.verify(s)
	})
}

// some sends records of app for a while.
func (in *installation) some(t *testing.T, app string, d time.Duration) series {
	t.Helper()
	s := in.logs(app, "s", 300)
	pause(t, d)
	return s.stop()
}

// replaceStream gives the stream an empty folder.
func (in *installation) replaceStream(t *testing.T) {
	t.Helper()
	in.roles["stream"].hold()
	must(t, os.RemoveAll(in.folders.Sub("stream")))
	in.roles["stream"].release()
	in.awaitReady("stream")
}
