module isthmus.test/app

go 1.26
