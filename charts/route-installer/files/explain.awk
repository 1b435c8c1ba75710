# Names the routes that are still not as wanted, each with the kernel's words. Parts in order: batch (the commands given),
# errors (what `ip -force -batch` printed: reasons, each before its `Command failed FILE:LINE`), left (commands that a second look asks for).

part == "batch" { command[FNR] = key_of(); next }
part == "errors" && /^Command failed/ { sub(/.*:/, ""); reason[command[$0 + 0]] = words; words = ""; next }
part == "errors" { sub(/^(Error|RTNETLINK answers): */, ""); words = words (words == "" ? "" : "; ") $0; next }
part == "left" { why = reason[key_of()]; print "FAILED " $0 ": " (why == "" ? "the row is not as asked for" : why) }

# The same row may be added at first and replaced at the second look.
function key_of() { return ($2 == "del" ? "del " : "set ") $3 }
