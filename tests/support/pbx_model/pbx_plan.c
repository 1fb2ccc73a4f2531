/*
 * pbx_plan: the dice. What is left out, and why, stands where the dice are thrown.
 */
#include "pbx_plan.h"

static struct pbx_person *join(struct pbx_taking_part *people, struct pbx_person *person)
{
	if (person != NULL && people->count < PBX_MAX_TAKING_PART)
		people->people[people->count++] = person;
	return person;
}

/* Who rings in a group: whoever answers is in it, in any place. */
static void draw_rounds(struct pbx_plan *plan, struct pbx_world *world)
{
	struct pbx_random *random = &world->random;
	unsigned first = pbx_below(random, world->person_count);
	unsigned taken = 0;

	plan->round_count = pbx_chance(random, 70) ? 1 : 2 + pbx_below(random, 2);
	for (unsigned i = 0; i < plan->round_count; i++) {
		unsigned count = plan->round_count > 1 ? 1 + pbx_below(random, 2)
						       : 1 + pbx_below(random, PBX_MAX_RINGS - 1);

		for (unsigned j = 0; j < count; j++)
			plan->rounds[i].rings[j] =
				world->people[(first + taken++) % world->person_count].extension;
		plan->rounds[i].count = count;
	}
}

static bool rings(const struct pbx_plan *plan, const char *number)
{
	for (unsigned i = 0; i < plan->round_count; i++) {
		for (unsigned j = 0; j < plan->rounds[i].count; j++) {
			if (strcmp(plan->rounds[i].rings[j], number) == 0)
				return true;
		}
	}
	return false;
}

static void put_into_last_round(
	struct pbx_plan *plan, struct pbx_random *random, const char *number)
{
	unsigned last = plan->round_count - 1;
	unsigned at = pbx_below(random, plan->rounds[last].count);

	if (rings(plan, number))
		return;
	if (plan->rounds[last].count < PBX_MAX_RINGS) {
		plan->rounds[last].rings[plan->rounds[last].count++] = plan->rounds[last].rings[at];
	}
	plan->rounds[last].rings[at] = number;
}

/* A free colleague, now and then one who talks in another call, or the FollowMe number. */
static bool draw_target(struct pbx_move *move, struct pbx_world *world, int64_t at_ms,
	struct pbx_taking_part *people)
{
	struct pbx_person *person = NULL;

	if (move->follow_me) {
		if (world->follow_me.free_ms > at_ms || world->follow_me.cut_off_at != 0)
			return false;
		person = join(people, &world->follow_me);
		person->free_ms = at_ms + 1;
		move->mobile = pbx_chance(&world->random, 80) ? person->mobile : NULL;
		move->on_mobile = move->mobile != NULL && pbx_chance(&world->random, 50);
	} else {
		if (pbx_chance(&world->random, 20))
			person = pbx_world_busy_person(world, at_ms);
		move->is_second = person != NULL;
		if (person == NULL)
			person = pbx_world_free_person(world, at_ms);
		if (person == NULL)
			return false;
		join(people, person);
	}
	move->to = person->extension;
	move->device = person->device;
	return true;
}

static bool draw_move(struct pbx_plan *plan, struct pbx_world *world, int64_t at_ms,
	struct pbx_taking_part *people)
{
	struct pbx_random *random = &world->random;
	struct pbx_move *move = &plan->moves[plan->move_count];
	unsigned kind = pbx_below(random, 100);

	*move = (struct pbx_move){.kind = kind < 30   ? PBX_HOLD
					  : kind < 70 ? PBX_ATTENDED
						      : PBX_BLIND};
	if (move->kind == PBX_HOLD)
		return true;
	move->end = (enum pbx_move_end)pbx_below(random, 3);
	if (move->kind == PBX_BLIND && move->end == PBX_DECLINED)
		move->end = PBX_NO_ANSWER; /* nobody hears why a phone did not answer */
	/* Nobody knows what a host says of a blind FollowMe on an outgoing call. */
	move->follow_me = pbx_chance(random, 30) &&
			  (plan->kind == PBX_INCOMING || move->kind == PBX_ATTENDED) &&
			  plan->external[0] != '\0';
	return draw_target(move, world, at_ms, people);
}

/* A transfer that nobody takes ends the call, and a FollowMe number transfers nothing further. Nor does
 * who talks in two calls: in which of them he asks somebody, only a host that says all would tell. */
static void draw_moves(struct pbx_plan *plan, struct pbx_world *world, int64_t at_ms,
	struct pbx_taking_part *people)
{
	unsigned count = pbx_chance(&world->random, 45) ? 1 + pbx_below(&world->random, 3) : 0;
	bool more = true;

	while (more && plan->move_count < count) {
		const struct pbx_move *move = &plan->moves[plan->move_count];

		if (!draw_move(plan, world, at_ms, people))
			return;
		plan->move_count++;
		if (move->is_second && move->end == PBX_ACCEPTED)
			return;
		more = move->kind == PBX_HOLD ||
		       (move->kind == PBX_ATTENDED &&
			       (move->end != PBX_ACCEPTED || !move->follow_me)) ||
		       (move->kind == PBX_BLIND && move->end == PBX_ACCEPTED && !move->follow_me);
	}
}

/* Who hides, or is not named by the start, cannot be told by a number: a mobile's leg would have
 * nothing to belong to. */
static void draw_incoming(struct pbx_plan *plan, struct pbx_world *world, int64_t at_ms,
	struct pbx_taking_part *people)
{
	struct pbx_random *random = &world->random;
	struct pbx_person *person;
	bool hidden = pbx_chance(random, 3);

	if (hidden)
		plan->external = "";
	/* GSM gateways do, and their lines are 0001xxx. */
	plan->line_as_phone = plan->line[0] == '0' && pbx_chance(random, 5);
	plan->no_start = pbx_chance(random, 3);
	plan->gives_up_early = !plan->no_start && pbx_chance(random, 3);
	plan->unnamed_end = pbx_chance(random, 5);
	draw_rounds(plan, world);
	if (!hidden && !plan->gives_up_early && pbx_chance(random, 25)) {
		person = join(people, pbx_world_free_mobile(world, at_ms));
		if (person != NULL) {
			plan->line_as_phone = false;
			plan->mobile = person->mobile;
			put_into_last_round(plan, random, person->mobile);
		}
	}
	if (plan->gives_up_early || pbx_chance(random, 25))
		return;
	if (plan->mobile != NULL && pbx_chance(random, 50)) {
		plan->answer = PBX_MOBILE;
		return;
	}
	person = join(people, pbx_world_free_person(world, at_ms));
	if (person == NULL)
		return;
	plan->answer = PBX_EXTENSION;
	plan->ours = person->extension;
	put_into_last_round(plan, random, person->extension);
	draw_moves(plan, world, at_ms, people);
}

static void draw_outgoing(struct pbx_plan *plan, struct pbx_world *world, int64_t at_ms,
	struct pbx_taking_part *people)
{
	struct pbx_random *random = &world->random;

	plan->backup = pbx_chance(random, 15) ? pbx_world_line(world) : NULL;
	if (plan->backup != NULL && strcmp(plan->backup, plan->line) == 0)
		plan->backup = NULL;
	plan->unnamed_end = pbx_chance(random, 15);
	plan->names_trunk = plan->kind != PBX_FORBIDDEN && pbx_chance(random, 4);
	if (plan->kind == PBX_FORBIDDEN || pbx_chance(random, 30))
		return;
	plan->answer = PBX_EXTENSION;
	if (plan->kind == PBX_OUTGOING)
		draw_moves(plan, world, at_ms, people);
}

static bool draw_internal(struct pbx_plan *plan, struct pbx_world *world, int64_t at_ms,
	struct pbx_taking_part *people)
{
	struct pbx_person *callee = join(people, pbx_world_free_person(world, at_ms));

	if (callee == NULL)
		return false;
	plan->callee = callee->extension;
	plan->answer = pbx_chance(&world->random, 60) ? PBX_EXTENSION : PBX_NOBODY;
	plan->unnamed_end = plan->answer == PBX_NOBODY && pbx_chance(&world->random, 10);
	if (plan->answer != PBX_NOBODY && pbx_chance(&world->random, 20))
		plan->moves[plan->move_count++] = (struct pbx_move){.kind = PBX_HOLD};
	return true;
}

static enum pbx_kind draw_kind(struct pbx_random *random)
{
	static const unsigned char percent[PBX_KINDS] = {
		[PBX_INCOMING] = 50,
		[PBX_OUTGOING] = 30,
		[PBX_CLICK] = 5,
		[PBX_FORBIDDEN] = 1,
		[PBX_INTERNAL] = 10,
		[PBX_DEPARTMENT] = 4,
	};
	unsigned left = pbx_below(random, 100);
	unsigned kind = 0;

	while (left >= percent[kind])
		left -= percent[kind++];
	return (enum pbx_kind)kind;
}

/* Where nobody is free to call, somebody calls us. */
void pbx_plan_draw(struct pbx_plan *plan, struct pbx_world *world, struct arena *arena,
	int64_t at_ms, struct pbx_taking_part *people)
{
	struct pbx_person *caller;

	*plan = (struct pbx_plan){.kind = draw_kind(&world->random),
		.external = pbx_world_external(world, arena),
		.line = pbx_world_line(world)};
	people->count = 0;
	if (plan->kind != PBX_INCOMING) {
		caller = join(people, pbx_world_free_person(world, at_ms));
		plan->ours = caller != NULL ? caller->extension : NULL;
	}
	if (plan->ours != NULL && plan->kind >= PBX_INTERNAL) {
		plan->external = plan->line = "";
		if (draw_internal(plan, world, at_ms, people))
			return;
		plan->external = pbx_world_external(world, arena);
		plan->line = pbx_world_line(world);
		plan->ours = NULL;
	}
	if (plan->ours == NULL) {
		plan->kind = PBX_INCOMING;
		draw_incoming(plan, world, at_ms, people);
	} else {
		draw_outgoing(plan, world, at_ms, people);
	}
}

/* Whoever only talks can be called meanwhile; who transfers, or is asked, is not disturbed. */
void pbx_plan_reserve(const struct pbx_plan *plan, struct pbx_taking_part *people, int64_t end_ms)
{
	enum { REST_MS = 3000 };
	bool plain = plan->answer == PBX_EXTENSION && plan->move_count == 0;

	for (unsigned i = 0; i < people->count; i++) {
		struct pbx_person *person = people->people[i];

		if (person->free_ms < end_ms + REST_MS)
			person->free_ms = end_ms + REST_MS;
		person->may_take_second = plain && person->mobile == NULL;
	}
}

void pbx_plan_cut_off(const struct pbx_world *world, struct pbx_taking_part *people)
{
	for (unsigned i = 0; i < people->count; i++)
		people->people[i]->cut_off_at = world->next_channel + 1;
}

void pbx_plan_rest(const struct pbx_plan *plan, struct pbx_taking_part *people)
{
	enum { HOUR_MS = 60 * 60 * 1000 };

	for (unsigned i = 0; i < people->count; i++) {
		if (strcmp(people->people[i]->extension, plan->ours) != 0)
			people->people[i]->free_ms += HOUR_MS;
	}
}

static const char *const kind_names[PBX_KINDS] = {
	[PBX_INCOMING] = "incoming",
	[PBX_OUTGOING] = "outgoing",
	[PBX_CLICK] = "click",
	[PBX_FORBIDDEN] = "forbidden",
	[PBX_INTERNAL] = "internal",
	[PBX_DEPARTMENT] = "department",
};

const char *pbx_kind_name(enum pbx_kind kind)
{
	return kind_names[kind];
}

static void describe_move(const struct pbx_move *move, struct buf *to)
{
	static const char *const kinds[] = {"hold", "attended", "blind"};
	static const char *const ends[] = {"accepted", "declined", "not answered"};

	buf_printf(to, "; %s", kinds[move->kind]);
	if (move->kind != PBX_HOLD)
		buf_printf(to, " to %s%s%s %s", move->to, move->follow_me ? " (FollowMe)" : "",
			move->on_mobile ? " on the mobile" : "", ends[move->end]);
}

void pbx_plan_describe(const struct pbx_plan *plan, struct buf *to)
{
	static const char *const answers[] = {"not answered", "answered", "answered on a mobile"};

	buf_printf(to, "%s, %s, other side '%s'", kind_names[plan->kind], answers[plan->answer],
		plan->external);
	if (plan->ours != NULL)
		buf_printf(to, ", ours %s", plan->ours);
	if (plan->callee != NULL)
		buf_printf(to, ", callee %s", plan->callee);
	if (plan->mobile != NULL)
		buf_printf(to, ", group with mobile %s", plan->mobile);
	if (plan->round_count > 1)
		buf_printf(to, ", cascade");
	if (plan->backup != NULL)
		buf_printf(to, ", backup line");
	for (unsigned i = 0; i < plan->move_count; i++)
		describe_move(&plan->moves[i], to);
}
