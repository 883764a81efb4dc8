// What the system can do with files and Swift's view of the C library leaves out.

#ifndef FOVEA_FILES_H
#define FOVEA_FILES_H

/// Makes the two paths, which must both be there, change their names in one step.
///
/// Returns 0; or -1 with errno set: EINVAL or ENOSYS where the file system or the kernel cannot.
int fovea_exchange_names(const char *first, const char *second);

/// Opens a new file without a name in a folder, for reading and writing; it is gone when its last descriptor is
/// closed, unless linkat has given it a name.
///
/// Returns the descriptor, which the caller closes; or -1 with errno set.
int fovea_open_nameless(const char *folder);

#endif
