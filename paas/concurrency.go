package paas

import (
	"strconv"
	"strings"
)

// usualConcurrency is what a replica is taken to work on at once where its
// start command does not tell: the threads that Kurama gives gunicorn.
const usualConcurrency = 4

// Concurrency returns how many requests a replica works on at once: gunicorn's
// workers times threads, as the start command gives them.
func (s Start) Concurrency() int {
	words := s.Command
	if s.Shell {
		words = strings.Fields(strings.Join(s.Command, " "))
	}
	workers, threads, known := 1, 1, false
	for i, word := range words {
		known = known || strings.HasSuffix(word, "gunicorn")
		name, value, joined := strings.Cut(word, "=")
		if !joined && i+1 < len(words) {
			value = words[i+1]
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			continue
		}
		switch name {
		case "--workers", "-w":
			workers = n
		case "--threads":
			threads = n
		}
	}
	if !known {
		return usualConcurrency
	}
	return workers * threads
}
