/* inetd(8): descriptor 0 is the connection, or with `wait` the socket itself. */
#include "activation.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	struct stat st;
	int r;

	if (request->leave_stdin || fstat(STDIN_FILENO, &st) < 0 || !S_ISSOCK(st.st_mode))
		return 0;
	r = inherited_add(list, "inetd", STDIN_FILENO, giver_inetd.name);
	if (r < 0 && r != -ENOMEM)
		return giver_fail(r, ret_message,
				  "descriptor 0, a socket of inetd, cannot be taken: %s",
				  strerror(-r));
	return r;
}

const struct giver giver_inetd = {.name = "inetd", .collect = collect};
