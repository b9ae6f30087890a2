/* SPDX-License-Identifier: MIT */
#include "conformance/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwp/tools/options.h"
#include "lwp/wire/frame.h"
#include "mock_server/script/file.h"

/* A file that is being read. */
struct reading {
    struct profile *profile;
    struct script_place place;
    const char *value;
    struct profile_line said; /* The line, once it has turned out to be right. */
};

/* Says what is wrong at a place; false. */
static bool complain(const struct reading *reading, const char *found, const char *expected)
{
    char line[1024];
    struct lwp_writer out = lwp_writer_on(line, sizeof(line));
    script_write_problem(&out, &reading->place, *found ? found : "nothing", expected);
    (void)fwrite(line, 1, out.size, stderr);
    return false;
}

#define READS_DIALECT(member) read_dialect(reading)
#define READS_FEATURE(member) read_feature(reading)
#define READS_SIZE(member) read_limit(reading, &reading->profile->member)

static bool read_dialect(struct reading *reading)
{
    reading->profile->dialect = lwp_dialect_named(reading->value);
    return reading->profile->dialect != NULL;
}

static bool read_feature(struct reading *reading)
{
    const struct feature *feature = feature_named(lwp_bytes_text(reading->value));
    if (feature)
        reading->profile->without[feature_index(feature)] = reading->said;
    return feature != NULL;
}

static bool read_limit(struct reading *reading, struct profile_limit *limit)
{
    limit->said = reading->said;
    return lwp_read_size(reading->value, 1, UINT32_MAX, &limit->most);
}

/* How the rows take their values: false if one can not be right. */
#define PROFILE_WORD(word, kind, member, text)                                                     \
    static bool take_##member(struct reading *reading)                                             \
    {                                                                                              \
        return READS_##kind(member);                                                               \
    }
#include "conformance/profile.def"
#undef PROFILE_WORD

struct word {
    const char *word;
    bool (*take)(struct reading *reading);
    const char *wanted;
    bool is_repeatable;
};

#define IS_REPEATABLE_DIALECT false
#define IS_REPEATABLE_FEATURE true
#define IS_REPEATABLE_SIZE false

static const struct word words[] = {
#define PROFILE_WORD(word, kind, member, text) {word, take_##member, text, IS_REPEATABLE_##kind},
#include "conformance/profile.def"
#undef PROFILE_WORD
};

enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

static const struct word *word_named(const char *text)
{
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (strcmp(words[i].word, text) == 0)
            return &words[i];
    return NULL;
}

/* Takes the next word off the line, and notes where it stands. */
static char *next_word(struct reading *reading, const char *begin, char **rest)
{
    char *word = *rest + strspn(*rest, " \t\r");
    char *end = word + strcspn(word, " \t\r");
    reading->place.column = (unsigned)(word - begin) + 1;
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

/* Parts the comment from the line, and takes blanks off its front. */
static const char *take_comment(char *line)
{
    char *sign = strchr(line, '#');
    if (!sign)
        return "";
    *sign = '\0';
    return sign + 1 + strspn(sign + 1, " \t");
}

static const char *keep(struct reading *reading, const char *text)
{
    const struct lwp_bytes copy = script_arena_copy(&reading->profile->arena, lwp_bytes_text(text));
    return copy.data ? (const char *)copy.data : "";
}

static bool read_line(struct reading *reading, char *line, uint64_t *seen)
{
    char text[64];
    char *rest = line;
    line[strcspn(line, "\r")] = '\0';
    const char *comment = take_comment(line);
    const char *first = next_word(reading, line, &rest);
    if (*first == '\0')
        return true;
    const struct word *word = word_named(first);
    if (!word)
        return complain(reading, first, "dialect, without, max-payload, max-name or max-records");
    if (*seen & UINT64_C(1) << (word - words) && !word->is_repeatable)
        return complain(reading, first, "a word that does not stand above already");
    *seen |= UINT64_C(1) << (word - words);
    reading->value = next_word(reading, line, &rest);
    (void)snprintf(text, sizeof(text), "%s %s", first, reading->value);
    reading->said =
        (struct profile_line){reading->place.line, keep(reading, text), keep(reading, comment)};
    if (!word->take(reading))
        return complain(reading, reading->value, word->wanted);
    const char *surplus = next_word(reading, line, &rest);
    return *surplus == '\0' || complain(reading, surplus, "the end of the line, or a comment");
}

bool profile_read(struct profile *profile, const char *path)
{
    size_t size = 0;
    bool sound = true;
    uint64_t seen = 0;
    struct reading reading = {.profile = profile, .place = {.file = path}};
    char *text = script_slurp(path, &size);
    if (!text)
        return false;
    profile->path = path;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        reading.place.line++;
        sound = read_line(&reading, line, &seen) && sound;
    }
    free(text);
    return sound;
}

static unsigned bit_named(const char *name)
{
    return feature_bit(feature_named(lwp_bytes_text(name)));
}

static const struct profile_line *line_of(const struct profile *profile, const char *name)
{
    return &profile->without[feature_index(feature_named(lwp_bytes_text(name)))];
}

/* The case that is for 16 MiB asks for exactly that. */
static bool has_usual_payload(const struct profile *profile)
{
    return profile->max_payload.said.line == 0 ||
           profile->max_payload.most == LWP_MAX_PAYLOAD_DEFAULT;
}

unsigned profile_features(const struct profile *profile, unsigned features, bool with_token)
{
    for (size_t i = 0; feature_at(i); i++)
        if (profile->without[i].line)
            features &= ~feature_bit(feature_at(i));
    if (!has_usual_payload(profile))
        features &= ~bit_named("max-payload");
    if (line_of(profile, "open")->line && !with_token)
        features &= ~bit_named("ingest");
    return features;
}

/* The line of the profile that takes a feature away, or NULL. */
static const struct profile_line *line_behind(const struct profile *profile,
                                              const struct feature *feature)
{
    const struct profile_line *line = &profile->without[feature_index(feature)];
    if (line->line)
        return line;
    if (strcmp(feature->name, "max-payload") == 0 && !has_usual_payload(profile))
        return &profile->max_payload.said;
    if (strcmp(feature->name, "ingest") == 0 && line_of(profile, "open")->line)
        return line_of(profile, "open");
    return NULL;
}

/* Writes " (FILE:LINE: WORD VALUE, COMMENT)" behind the reason. */
static void name_line(const struct profile *profile, const struct profile_line *line, char *reason)
{
    const size_t size = strlen(reason);
    (void)snprintf(reason + size, RESULT_TEXT_SIZE - size, " (%s:%u: %s%s%.200s)", profile->path,
                   line->line, line->text, line->comment[0] ? ", " : "", line->comment);
}

static bool refuse(const struct profile *profile, const struct profile_limit *limit,
                   const char *what, uint64_t asked, char *reason)
{
    if (limit->said.line == 0 || asked <= limit->most)
        return true;
    (void)snprintf(reason, RESULT_TEXT_SIZE, "the case has %s of %" PRIu64, what, asked);
    name_line(profile, &limit->said, reason);
    return false;
}

static uint64_t more(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What a case takes for granted of a server's limits. */
struct demand {
    uint64_t payload;
    uint64_t name;
    uint64_t records;
};

static void add_demand(struct demand *demand, const struct script_step *step)
{
    demand->name = more(demand->name, step->kind == SCRIPT_GIVEN_NAME ? step->name_size : 0);
    for (size_t i = 0; i < step->frames.count; i++) {
        const struct script_frame *frame = &step->frames.items[i];
        const uint64_t made = more(frame->bytes.size, frame->fill_size);
        demand->payload = more(demand->payload, frame->is_sized ? frame->cut_size : made);
        demand->records = more(demand->records, frame->record_count);
    }
}

bool profile_allows(const struct profile *profile, unsigned features, const struct script_case *of,
                    char *reason)
{
    struct demand demand = {.payload = 0};
    for (size_t i = 0; i < of->needs.count; i++) {
        const struct feature *feature = feature_named(of->needs.items[i]);
        if (!feature || features & feature_bit(feature))
            continue;
        const struct profile_line *line = line_behind(profile, feature);
        (void)snprintf(reason, RESULT_TEXT_SIZE, "the target lacks what the case needs: %s",
                       feature->text);
        if (line)
            name_line(profile, line, reason);
        return false;
    }
    for (size_t i = 0; i < of->steps.count; i++)
        add_demand(&demand, &of->steps.items[i]);
    return refuse(profile, &profile->max_payload, "a payload", demand.payload, reason) &&
           refuse(profile, &profile->max_name, "a name", demand.name, reason) &&
           refuse(profile, &profile->max_records, "records to the number", demand.records, reason);
}

void profile_done(struct profile *profile)
{
    script_arena_done(&profile->arena);
}
