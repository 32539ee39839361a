#include "datagram_send.h"

#include "messages.h"

#include <errno.h>

/* Datagrams on their way into messages. */
struct outgoing {
	struct iovec pieces[ADOPT_DATAGRAMS_MAX]; /* a datagram each */
	unsigned count;
	struct mmsghdr messages[ADOPT_DATAGRAMS_MAX];
	union segments_control controls[ADOPT_DATAGRAMS_MAX];
	unsigned ends[ADOPT_DATAGRAMS_MAX]; /* how many datagrams are behind each message */
	unsigned message_count;
};

static void take(struct outgoing *out, const struct adopt_datagram *datagrams, size_t count)
{
	out->count = count < ADOPT_DATAGRAMS_MAX ? (unsigned)count : ADOPT_DATAGRAMS_MAX;
	for (unsigned i = 0; i < out->count; i++) {
		/* struct iovec is for both directions and so has no const; sending
		   changes nothing. */
		out->pieces[i].iov_base = (void *)(uintptr_t)datagrams[i].data;
		out->pieces[i].iov_len = datagrams[i].length;
	}
}

static void put(struct outgoing *out, const struct msghdr *like, unsigned first, unsigned run)
{
	unsigned place = out->message_count++;
	struct msghdr *message = &out->messages[place].msg_hdr;

	*message = *like;
	message->msg_iov = &out->pieces[first];
	message->msg_iovlen = run;
	if (run > 1)
		segments_mark(message, &out->controls[place], out->pieces[first].iov_len);
	out->ends[place] = first + run;
}

/* segments: NULL where each datagram is to be a message. */
static int send_messages(struct outgoing *out, int fd, struct segments *segments,
			 const struct msghdr *like)
{
	unsigned run;
	int sent;

	out->message_count = 0;
	for (unsigned first = 0; first < out->count; first += run) {
		run = 1;
		if (segments)
			run = segments_run(segments, fd, &out->pieces[first], out->count - first);
		put(out, like, first, run);
	}
	sent = messages_send(fd, out->messages, out->message_count);
	return sent < 0 ? sent : (int)out->ends[sent - 1];
}

int datagram_send(int fd, struct segments *segments, const struct msghdr *like,
		  const struct adopt_datagram *datagrams, size_t count)
{
	struct outgoing out;
	int sent, singly;

	take(&out, datagrams, count);
	sent = send_messages(&out, fd, segments, like);
	if (sent >= 0 || sent == -EAGAIN || sent == -ECONNREFUSED || out.ends[0] == 1)
		return sent;
	/* A card, a tunnel, a filter or a short way may stand only the datagrams themselves. */
	singly = send_messages(&out, fd, NULL, like);
	if (singly > 0)
		segments_failed(segments, out.pieces[0].iov_len, sent);
	return singly;
}
