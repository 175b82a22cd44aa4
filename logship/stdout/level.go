package stdout

import (
	"strings"

	"kurama/logship/record"
)

// prefixBytes is how far into a line a level is looked for.
const prefixBytes = 96

// Level guesses the level of a line from a name in its prefix, as the usual
// formats write it: "ERROR: …", "WARNING:root:…", "[2026-… +0000] [7] [INFO] …",
// "2026-… - app - ERROR - …", "level=error". Without one it is LevelNone.
func Level(line string) record.Level {
	head := line[:min(len(line), prefixBytes)]
	for i := 0; i < len(head); {
		if !letter(head[i]) {
			i++
			continue
		}
		end := i
		for end < len(head) && letter(head[end]) {
			end++
		}
		if level := named(head, i, end); level != record.LevelNone {
			return level
		}
		i = end
	}
	return record.LevelNone
}

// named reads the word head[i:end] as a level where its surroundings say that
// it is one, and not a word of a sentence.
func named(head string, i, end int) record.Level {
	word := head[i:end]
	before, after := head[:i], head[end:]
	if strings.HasSuffix(before, "level=") || strings.HasSuffix(before, `"level":"`) || strings.HasSuffix(before, `"level": "`) {
		level, _ := record.ParseLevel(word)
		return level
	}
	if word != strings.ToUpper(word) {
		return record.LevelNone
	}
	bracket := strings.HasSuffix(before, "[") && strings.HasPrefix(after, "]")
	dashes := strings.HasSuffix(before, "- ") && strings.HasPrefix(after, " -")
	bars := strings.HasSuffix(strings.TrimRight(before, " "), "|") && strings.HasPrefix(strings.TrimLeft(after, " "), "|")
	colon := strings.HasPrefix(after, ":") && !strings.ContainsFunc(before, func(r rune) bool { return r < 0x80 && letter(byte(r)) && r >= 'a' })
	first := before == "" && (after == "" || strings.HasPrefix(after, " "))
	if !bracket && !dashes && !bars && !colon && !first {
		return record.LevelNone
	}
	level, _ := record.ParseLevel(word)
	return level
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
