/* The one door that mounts leave open: descriptors 0 to 2 may be files of the host, and by /proc/self/fd/0 the agent
 * could open such a file anew, for writing where it was given for reading. Landlock closes it: whatever does not lie
 * below the sandbox's own root cannot be opened, and each of the three only in the way it was handed over.
 *
 * A kernel before 5.13, or one built without it, has no Landlock: then this is left out, and the rest stands.
 * Source: landlock(7). */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of the oldest system we build on. */
#define ACCESS_TRUNCATE (1ULL << 14)
#define ACCESS_IOCTL_DEV (1ULL << 15)

/* Everything that interface version @abi knows. An access that is not named here would not be governed at all. */
static uint64_t known_accesses(long abi)
{
    uint64_t known = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* the 13 of version 1 */

    if (abi >= 2)
        known |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        known |= ACCESS_TRUNCATE;
    if (abi >= 5)
        known |= ACCESS_IOCTL_DEV;
    return known;
}

static void allow(int ruleset, int fd, uint64_t access)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };

    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) == 0)
        return;
    /* Pipes and sockets have no place in a file system: nothing to govern. */
    if (errno != EBADFD && errno != EBADF)
        init_fail(INIT_STAGE_FILES, errno);
}

/* Reading stays reading, writing writing. Who may write may truncate: ftruncate(2) on the descriptor does so anyway. */
static void allow_stream(int ruleset, int fd, uint64_t known)
{
    const int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
    uint64_t access = ACCESS_IOCTL_DEV;

    if (mode != O_WRONLY)
        access |= LANDLOCK_ACCESS_FS_READ_FILE;
    if (mode != O_RDONLY)
        access |= LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE;
    allow(ruleset, fd, access & known);
}

void init_confine_files(void)
{
    const uint64_t devices = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

    if (abi < 1)
        return;
    const uint64_t known = known_accesses(abi);
    struct landlock_ruleset_attr attr = { .handled_access_fs = known };
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0U);
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (ruleset < 0 || root < 0)
        init_fail(INIT_STAGE_FILES, errno);
    allow(ruleset, root, known & ~devices);
    for (int fd = 0; fd < 3; fd++)
        allow_stream(ruleset, fd, known);
    if (syscall(SYS_landlock_restrict_self, ruleset, 0U) != 0)
        init_fail(INIT_STAGE_FILES, errno);
    (void)close(root);
    (void)close(ruleset);
}
